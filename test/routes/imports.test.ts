/** The doors of imports and reminders: who may send, see and undo a file, and that another shop's are out of reach. */
import { beforeEach, expect, test } from 'vitest'

import { countReminders, findReminding, saveReminders } from '#app/db/reminders.server.ts'
import { pool } from '#app/db/client.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { requireShop } from '#app/db/shops.server.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import * as oneImport from '#app/routes/app.imports.$id.tsx'
import * as refusedLines from '#app/routes/app.imports.$id_.refused.ts'
import * as imports from '#app/routes/app.imports._index.tsx'
import * as upload from '#app/routes/app.imports.upload.ts'
import * as program from '#app/routes/app.program._index.tsx'
import * as reminders from '#app/routes/app.program.reminders.ts'
import { adminClientOf } from '#app/shopify.server.ts'
import { answerAdminApi, BROWSER, makeMerchant, sessionToken, settle, type Merchant } from '#test/routes/merchant.ts'
import { programDocument } from '#test/setup/factories.ts'

const ANN = 'gid://shopify/Customer/7'
const FILE = 'email,points\nann@example.com,100\nnobody@example.com,5\n=cmd(),1\n'

beforeEach(() => {
  answerAdminApi(({ query, variables }) => {
    if (!query.includes('CustomersByEmail')) return { nodes: [] }
    const entries = Object.entries(variables).map(([name, email]) => [
      name.replace('email', 'customer'),
      email === 'ann@example.com' ? { id: ANN, state: 'ENABLED' } : null,
    ])
    return Object.fromEntries(entries)
  })
})

async function makeShopWithProgram(): Promise<Merchant> {
  const merchant = await makeMerchant()
  const at = Date.parse('2026-01-01T00:00:00Z')
  await publishProgram(merchant.shop.id, programDocument(), { effectiveAt: at, at })
  return merchant
}

/** Sends a file as the page does: the bytes as the body. */
async function send(merchant: Merchant, body: string | null, query = 'source=Smile.io&name=members.csv') {
  const { token } = await sessionToken(merchant.shop.domain)
  const request = new Request(`https://perennial.example.com/app/imports/upload?${query}`, {
    method: 'POST',
    body,
    headers: { Authorization: `Bearer ${token}`, 'User-Agent': BROWSER },
  })
  const answer = await settle(upload.action({ request, params: {}, context: {} }))
  return { status: answer.status, body: JSON.parse(String(answer.body)) as { id: string; error: string } }
}

const work = async ({ shop }: Merchant) => workOnImports(await requireShop(shop.id), adminClientOf(shop.domain))
const open = async (merchant: Merchant, id: string) =>
  oneImport.loader(await merchant.get(`/app/imports/${id}`, { id }))
const press = async (merchant: Merchant, id: string, form: Record<string, string>) =>
  settle(oneImport.action(await merchant.post(`/app/imports/${id}`, form, { id })))

test('nothing is sent or seen without a session token', async () => {
  const request = () =>
    new Request('https://perennial.example.com/app/imports', {
      method: 'POST',
      body: FILE,
      headers: { Authorization: 'Bearer forged', 'User-Agent': BROWSER },
    })
  for (const door of [
    upload.action,
    oneImport.action,
    oneImport.loader,
    refusedLines.loader,
    imports.loader,
    reminders.action,
  ]) {
    expect((await settle(door({ request: request(), params: { id: '1' }, context: {} }))).status).toBe(401)
  }
  const { rows } = await pool.query('select 1 from imports')
  expect(rows).toEqual([])
})

test('a file is looked at, brought in and taken back; each step is taken once', async () => {
  const merchant = await makeShopWithProgram()
  const { body } = await send(merchant, FILE)
  await work(merchant)
  const page = await open(merchant, body.id)
  expect(page).toMatchObject({
    found: { state: 'checked', fileName: 'members.csv', source: 'Smile.io' },
    counts: { ready: 1, refused: 2, newMembers: 1, knownMembers: 0 },
    points: 100,
    // 5.00 euros for 100 points.
    worth: '€5.00',
    refused: [{ line: 3 }, { line: 4 }],
  })
  expect((await press(merchant, body.id, { intent: 'undo' })).status).toBe(409)
  expect((await press(merchant, body.id, { intent: 'apply' })).status).toBe(200)
  expect((await press(merchant, body.id, { intent: 'apply' })).status).toBe(409)
  await work(merchant)
  expect(await open(merchant, body.id)).toMatchObject({ found: { state: 'done' }, counts: { given: 1 }, left: 100 })
  expect((await press(merchant, body.id, { intent: 'discard' })).status).toBe(409)
  expect((await press(merchant, body.id, { intent: 'undo' })).status).toBe(200)
  await work(merchant)
  expect(await open(merchant, body.id)).toMatchObject({ found: { state: 'undone' }, counts: { takenBack: 100 } })
  const list = await imports.loader(await merchant.get('/app/imports'))
  expect(list.imports).toMatchObject([{ state: 'undone', given: 1, points: 100, takenBack: 100 }])
})

test('lines to mend are saved with what is wrong, and no cell of them is a formula', async () => {
  const merchant = await makeShopWithProgram()
  const { body } = await send(merchant, FILE)
  await work(merchant)
  const answer = await refusedLines.loader(await merchant.get(`/app/imports/${body.id}/refused`, { id: body.id }))
  const [head, first, second] = (await answer.text()).split('\r\n')
  expect(head).toBe('email,points,line in the file,what is wrong')
  expect(first).toMatch(/^nobody@example\.com,5,3,"?email: “nobody@example\.com”; allowed: a customer of your store/)
  expect(second).toMatch(/^'=cmd\(\),1,4,/)
})

test('columns are chosen by hand, and a choice that says too little comes back with its fields', async () => {
  const merchant = await makeShopWithProgram()
  const { body } = await send(merchant, 'who,how many\nann@example.com,100\n')
  expect((await open(merchant, body.id)).found.state).toBe('matching')
  const wrong = await press(merchant, body.id, { intent: 'columns', email: '0', points: '7' })
  expect(wrong).toMatchObject({ status: 400, body: { errors: { points: 'The file has no such column' } } })
  expect((await press(merchant, body.id, { intent: 'columns', email: '0', points: 'x' })).status).toBe(400)
  expect((await press(merchant, body.id, { intent: 'columns', email: '0', points: '1' })).status).toBe(200)
  await work(merchant)
  expect((await open(merchant, body.id)).counts.ready).toBe(1)
})

test('what cannot be taken in is told in a sentence: no file, no program, no source, too large', async () => {
  const merchant = await makeShopWithProgram()
  expect(await send(merchant, null)).toMatchObject({ status: 400, body: { error: 'Choose the file first.' } })
  expect((await send(merchant, FILE, 'source=%20')).body.error).toContain('which app')
  expect((await send(merchant, 'PK\x03\x04')).body.error).toContain('Excel workbook')
  expect((await send(await makeMerchant(), FILE)).body.error).toBe('Publish your program first.')
})

test('another shop’s file is not found, by any door, and stays as it was', async () => {
  const [merchant, neighbour] = [await makeShopWithProgram(), await makeShopWithProgram()]
  const { id } = (await send(merchant, FILE)).body
  await work(merchant)
  expect((await settle(open(neighbour, id))).status).toBe(404)
  for (const intent of ['apply', 'discard', 'undo', 'columns']) {
    expect((await press(neighbour, id, { intent, email: '0', points: '1' })).status).toBe(404)
  }
  const ask = await neighbour.get(`/app/imports/${id}/refused`, { id })
  expect((await settle(refusedLines.loader(ask))).status).toBe(404)
  expect((await imports.loader(await neighbour.get('/app/imports'))).imports).toEqual([])
  expect((await open(merchant, id)).found.state).toBe('checked')
})

test.each(['0x1', '-1', '1e9', '../1', "1'--", '9'.repeat(30)])('a file’s address like %s is not found', async (id) => {
  const merchant = await makeMerchant()
  expect((await settle(open(merchant, id))).status).toBe(404)
})

test('reminders are turned off and on in this shop only, and the program page counts them', async () => {
  const [merchant, neighbour] = [await makeShopWithProgram(), await makeShopWithProgram()]
  const turn = async (on: string) => settle(reminders.action(await merchant.post('/app/program/reminders', { on })))
  expect((await turn('false')).status).toBe(200)
  expect([(await findReminding(merchant.shop.id)).on, (await findReminding(neighbour.shop.id)).on]).toEqual([
    false,
    true,
  ])
  await turn('true')
  const at = Date.parse('2026-11-22T00:00:00Z')
  const reminder = { member: ANN, endsAt: at, days: 30 }
  expect(await saveReminders(merchant.shop.id, [reminder], at, pool)).toHaveLength(1)
  expect(await saveReminders(merchant.shop.id, [reminder], at, pool)).toHaveLength(0)
  expect([await countReminders(merchant.shop.id, at), await countReminders(neighbour.shop.id, at)]).toEqual([1, 0])
  const page = await program.loader(await merchant.get('/app/program'))
  expect(page.reminders).toMatchObject({ on: true, expires: true })
})
