import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { inTransaction, pool } from '#app/db/client.server.ts'
import {
  checkAnew,
  countImport,
  countPointsLeft,
  discardImport,
  findImport,
  forgetInImports,
  forgetOldImports,
  listRefused,
  listUsable,
  moveImport,
} from '#app/db/imports.server.ts'
import { checkLedger } from '#app/db/ledger-check.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { listTransfers } from '#app/db/member-story.server.ts'
import { listPrivacyRequests } from '#app/db/privacy.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { CsvFileError, readCsvRows } from '#app/jobs/csv-rows.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { eraseShops } from '#app/jobs/erase-shop.ts'
import { workOnImports } from '#app/jobs/import-members.ts'
import { takeImport } from '#app/jobs/take-import.ts'
import { receive } from '#test/setup/factories.ts'
import { listenToLog } from '#test/setup/log.ts'
import { lookAtStatements } from '#test/setup/statements.ts'
import { Died, openSpendingShop, type SpendingShop } from './spending-shop.ts'

const TIERS = {
  metric: 'points' as const,
  window: 'lifetime' as const,
  graceDays: 0,
  entryRewards: 'highest' as const,
  levels: [
    { id: 'member', name: 'Member', threshold: 0 },
    { id: 'gold', name: 'Gold', threshold: 1_000, entryReward: 50 },
  ],
}

async function* piece(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

let made = 0
/** A customer of the store whom the app has not heard of. */
function stranger(place: SpendingShop): { email: string; customer: string } {
  made += 1
  const email = `stranger-${made}@example.com`
  return { email, customer: place.store.createCustomer(place.shop.domain, { email }).id }
}

/** Takes a file in; returns the import's id. Throws where the file cannot be read. */
async function take(place: SpendingShop, text: string, source = 'Smile.io'): Promise<string> {
  const file = { fileName: 'members.csv', source, actor: 'user:1', bytes: piece(text) }
  const taken = await takeImport(place.shop.id, file)
  if (!taken.ok) throw new Error(taken.error)
  return taken.id
}

const work = (place: SpendingShop) => workOnImports(place.shop, place.admin)

/** Takes a file in and gives what can be given. */
async function bring(place: SpendingShop, text: string, source?: string): Promise<string> {
  const id = await take(place, text, source)
  await work(place)
  expect(await moveImport(place.shop.id, id, ['checked'], 'applying', now())).toBe(true)
  await work(place)
  return id
}

async function undo(place: SpendingShop, id: string): Promise<void> {
  expect(await moveImport(place.shop.id, id, ['done'], 'undoing', now())).toBe(true)
  await work(place)
}

/** The process ends when a slice has given its points and is about to note that it did. */
async function dieInTheMiddle(running: () => Promise<unknown>): Promise<unknown> {
  const stop = lookAtStatements((text) => {
    if (!/update import_lines l\s+set state = case/.test(text)) return
    throw Object.assign(new Error('the process died'), { code: '57P01' })
  })
  try {
    return await running()
  } finally {
    stop()
  }
}

const memberOf = async (place: SpendingShop, customer: string) =>
  (await readMembers(place.shop.id, [customer])).get(customer)
const balanceOf = async (place: SpendingShop, customer: string) => (await memberOf(place, customer))?.available ?? null
const stateOf = async (place: SpendingShop, id: string) => (await findImport(place.shop.id, id))?.state

/** Makes a member's record one with which the rules cannot go on; returns what mends it. */
async function breakMember(place: SpendingShop, customer: string): Promise<() => Promise<unknown>> {
  const member = [place.shop.id, customer.split('/').at(-1)]
  const { rows } = await pool.query<{ state: string }>(
    'select state from members where shop_id = $1 and id = $2',
    member,
  )
  const set = (state: string) =>
    pool.query('update members set state = $3 where shop_id = $1 and id = $2', [...member, state])
  await set(JSON.stringify({ ...(JSON.parse(rows[0]!.state) as object), tier: 5 }))
  return () => set(rows[0]!.state)
}

/** Everything that members of the shop hold, to compare. */
async function standing(place: SpendingShop) {
  const { rows } = await pool.query(
    `select member_id, available, pending, reserved, deficit, lifetime_earned,
            (select coalesce(json_agg(json_build_array(key, available) order by key), '[]') from lots l
              where l.shop_id = $1 and l.member_id = b.member_id) as lots
       from balances b where shop_id = $1 and (available, pending, reserved, deficit) <> (0, 0, 0, 0) order by member_id`,
    [place.shop.id],
  )
  return rows
}

describe('a file', () => {
  const read = async (...chunks: (string | Uint8Array)[]) => {
    const rows = []
    for await (const row of readCsvRows(piece(...chunks))) rows.push([row.line, ...row.fields])
    return rows
  }

  it('is read whatever parts its columns, with the lines that an editor shows', async () => {
    const rows = [
      [1, 'email', 'points'],
      [2, 'a@x.de', '1'],
      [4, 'b@x.de', '2'],
    ]
    expect(await read('email,points\na@x.de,1\n\nb@x.de,2\n')).toEqual(rows)
    expect(await read('\uFEFFemail;points\r\na@x.de;1\r\n;\r\nb@x.de;2')).toEqual(rows)
    expect(await read('email\tpoi', 'nts\na@x', '.de\t1\n\nb@x.de\t2\n')).toEqual(rows)
    expect(await read('sep=;\r\nemail;points\r\na@x.de;1\r\n')).toEqual([
      [2, 'email', 'points'],
      [3, 'a@x.de', '1'],
    ])
  })

  it('names a row of several lines by its first, with either kind of line end', async () => {
    for (const end of ['\n', '\r\n']) {
      const text = ['email,note', 'a@x.de,"one', 'two"', 'b@x.de,""', ''].join(end)
      expect((await read(text)).map(([line]) => line)).toEqual([1, 2, 4])
    }
  })

  it('is read in UTF-8, UTF-16 and the code page of Windows, wherever its bytes are parted', async () => {
    const text = 'email,name,points\nzoë@x.de,Zoë – Müller,1\n'
    const windows = Buffer.from(text.replace('–', '\x96'), 'latin1')
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
    for (const bytes of [Buffer.from(text), windows, utf16]) {
      for (const size of [1, 7, 1000]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        )
        expect((await read(...chunks))[1]).toEqual([2, 'zoë@x.de', 'Zoë – Müller', '1'])
      }
    }
  })

  it.each([
    ['an Excel workbook', Buffer.from('PK\x03\x04 and more'), 'Excel workbook'],
    ['a picture', Buffer.from([0x89, 0x50, 0x00, 0x47, 0x00, 0x0a]), 'not a text file'],
    ['a quote that is never closed', Buffer.from('email,points\na@x.de,1\n"b@x.de,2\nc@x.de,3\n'), 'Line 3: a quote'],
  ])('that is %s is refused in words', async (_what, bytes, words) => {
    const reading = read(bytes)
    await expect(reading).rejects.toThrow(CsvFileError)
    await expect(reading).rejects.toThrow(words)
  })

  it('of any fields comes back field by field', async () => {
    const field = fc.string({ unit: fc.constantFrom(...'ab,;"\n\té ') })
    const rowsOf = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        const whole = [['first', 'second'], ...rows.filter((row) => row.some((text) => text.trim() !== ''))]
        const text = whole.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join('\n')
        expect((await read(text)).map(([, ...fields]) => fields)).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })

  it('that is empty, without lines, too large or too long leaves nothing behind', async () => {
    const place = await openSpendingShop([])
    async function* endless(line: string) {
      yield Buffer.from('email,points\n')
      for (;;) yield Buffer.from(line.repeat(10_000))
    }
    const refuse = async (bytes: AsyncIterable<Uint8Array>) =>
      takeImport(
        place.shop.id,
        { fileName: 'f', source: 'Smile.io', actor: 'user:1', bytes },
        { bytes: 1024 * 1024, lines: 2_000 },
      )
    expect(await refuse(piece(''))).toMatchObject({ ok: false, error: 'This file is empty.' })
    expect(await refuse(piece('email,points\n'))).toMatchObject({ ok: false })
    expect(await refuse(endless('a,1\n'))).toMatchObject({ ok: false, error: expect.stringContaining('2,000 lines') })
    const long = `${'a'.repeat(10_000)},1\n`
    expect(await refuse(endless(long))).toMatchObject({
      ok: false,
      error: expect.stringContaining('larger than 1 MB'),
    })
    const { rows } = await pool.query('select 1 from imports where shop_id = $1', [place.shop.id])
    expect(rows).toEqual([])
  })
})

describe('an import', () => {
  it('says before anything is given whom it brings, how many points, and of each line that cannot be used why', async () => {
    const place = await openSpendingShop([], { tiers: TIERS })
    const [ann, ben] = [await place.member(10), stranger(place)]
    const annsMail = place.store.customer(place.shop.domain, ann as never)!.email!
    const id = await take(
      place,
      [
        'Shopify Customer ID,Email,Points Balance,VIP Tier',
        `${ann.split('/').at(-1)},,120,`,
        `,${ben.email.toUpperCase()},300,gold`,
        ',nobody@example.com,5,',
        `999,${ben.email},7,`,
        `,${annsMail},1.5,Platinum`,
        ',,1,',
      ].join('\n'),
    )
    await work(place)
    expect(await stateOf(place, id)).toBe('checked')
    expect(await countImport(place.shop.id, id)).toMatchObject({
      ready: 2,
      refused: 4,
      newMembers: 1,
      knownMembers: 1,
      readyPoints: 420,
    })
    expect(
      (await listUsable(place.shop.id, id, 10)).map(({ line, customer, known }) => [line, customer, known]),
    ).toEqual([
      [2, ann, true],
      [3, ben.customer, false],
    ])
    const refused = await listRefused(place.shop.id, id, 10)
    expect(
      refused.map(({ line, problems }) => [line, ...problems.map(({ column, found }) => `${column}: ${found}`)]),
    ).toEqual([
      [4, 'Email: nobody@example.com'],
      [5, `Email: ${ben.email}`],
      [6, 'Points Balance: 1.5', 'VIP Tier: Platinum'],
      [7, 'Email: nothing'],
    ])
    expect(refused[1]!.problems[0]!.allowed).toContain('line 3')
    expect(await balanceOf(place, ben.customer)).toBeNull()
  })

  it('gives points, tier and birthday, told by where they come from, and the ledger ties', async () => {
    const place = await openSpendingShop([], { tiers: TIERS })
    const ben = stranger(place)
    await bring(place, `email,points,tier,birthday\n${ben.email},300,Gold,1990-04-23\n`)
    expect(await memberOf(place, ben.customer)).toMatchObject({
      available: 300,
      lifetimeEarned: 0,
      tier: { level: 'gold' },
      birthday: { month: 4, day: 23 },
    })
    const [transfer] = await listTransfers(place.shop.id, ben.customer, 5)
    expect(transfer).toMatchObject({ reason: 'adjust', note: 'Brought over from Smile.io', availableChange: 300 })
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })

  it('asks the merchant for columns where it is not sure, and goes on with the choice', async () => {
    const place = await openSpendingShop([])
    const ben = stranger(place)
    const id = await take(place, `who,how many\n${ben.email},40\n`)
    await work(place)
    expect(await stateOf(place, id)).toBe('matching')
    const mapping = { customer: null, email: 0, points: 1, tier: null, birthday: null, lastDay: null }
    expect(await checkAnew(place.shop.id, id, mapping, now())).toBe(true)
    await work(place)
    expect(await countImport(place.shop.id, id)).toMatchObject({ ready: 1, readyPoints: 40 })
    // Another choice is checked from the start.
    expect(await checkAnew(place.shop.id, id, { ...mapping, points: 0, email: 1 }, now())).toBe(true)
    await work(place)
    expect(await countImport(place.shop.id, id)).toMatchObject({ ready: 0, refused: 1, readyPoints: 0 })
  })

  it('of the same file twice, or of a customer again in another file, gives points once', async () => {
    const place = await openSpendingShop([])
    const [ann, ben] = [stranger(place), stranger(place)]
    const file = `email,points\n${ann.email},100\n`
    const id = await bring(place, file)
    expect(await take(place, file)).toBe(id)
    const second = await bring(place, `email,points\n${ann.email},100\n${ben.email},5\n`)
    expect(await balanceOf(place, ann.customer)).toBe(100)
    expect(await balanceOf(place, ben.customer)).toBe(5)
    const [refused] = await listRefused(place.shop.id, second, 5)
    expect(refused).toMatchObject({ line: 2, problems: [{ found: ann.email }] })
    expect(refused!.problems[0]!.allowed).toContain('“members.csv”')
    // Undone, it can be brought over anew.
    await undo(place, id)
    await bring(place, file)
    expect(await balanceOf(place, ann.customer)).toBe(100)
  })

  it('that two merchants look at side by side gives a customer’s points once', async () => {
    const place = await openSpendingShop([])
    const ann = stranger(place)
    const [one, other] = [
      await take(place, `email,points\n${ann.email},100\n`),
      await take(place, `email,points\n${ann.email},70\n`),
    ]
    await work(place)
    for (const id of [one, other]) await moveImport(place.shop.id, id, ['checked'], 'applying', now())
    await work(place)
    expect(await balanceOf(place, ann.customer)).toBe(100)
    expect(await countImport(place.shop.id, other)).toMatchObject({ given: 0, refused: 1 })
  })

  it('goes on after a crash at any point, and gives what a run without one would', async () => {
    const place = await openSpendingShop([])
    const people = Array.from({ length: 130 }, () => stranger(place))
    const id = await take(place, ['email,points', ...people.map(({ email }, at) => `${email},${at + 1}`)].join('\n'))
    place.trouble('CustomersByEmail', 'died')
    await expect(work(place)).rejects.toThrow(Died)
    expect(await stateOf(place, id)).toBe('checking')
    await work(place)
    await moveImport(place.shop.id, id, ['checked'], 'applying', now())
    // A turn without time takes one slice and leaves the rest to the next; in between the process may end.
    for (let before = await countImport(place.shop.id, id); before.ready > 0;) {
      await expect(dieInTheMiddle(() => work(place))).rejects.toThrow('the process died')
      expect(await countImport(place.shop.id, id)).toEqual(before)
      await workOnImports(place.shop, place.admin, 0)
      before = await countImport(place.shop.id, id)
    }
    await work(place)
    expect(await stateOf(place, id)).toBe('done')
    for (const [at, { customer }] of people.entries()) expect(await balanceOf(place, customer)).toBe(at + 1)
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })

  it('waits, and says so, while Shopify cannot be asked', async () => {
    const place = await openSpendingShop([])
    const ann = stranger(place)
    const id = await take(place, `email,points\n${ann.email},100\n`)
    place.trouble('CustomersByEmail', '500', 9)
    await work(place)
    expect(await findImport(place.shop.id, id)).toMatchObject({
      state: 'checking',
      error: expect.stringContaining('Shopify could not be asked'),
    })
    place.heal()
    await work(place)
    expect(await findImport(place.shop.id, id)).toMatchObject({ state: 'checked', error: null })
  })

  it('leaves out a customer with whom the rules cannot go on, says why in the log, and gives to the others', async () => {
    const place = await openSpendingShop([])
    const [ann, ben, cleo] = [stranger(place), await place.member(10), stranger(place)]
    const file = `shopify_customer_id,email,points\n,${ann.email},100\n${ben.split('/').at(-1)},,50\n,${cleo.email},7\n`
    const id = await take(place, file)
    await work(place)
    await breakMember(place, ben)
    await moveImport(place.shop.id, id, ['checked'], 'applying', now())
    const log = listenToLog()
    await work(place)
    expect(await findImport(place.shop.id, id)).toMatchObject({ state: 'done', error: null })
    expect([await balanceOf(place, ann.customer), await balanceOf(place, cleo.customer)]).toEqual([100, 7])
    expect(await listRefused(place.shop.id, id, 5)).toMatchObject([
      { line: 3, problems: [{ allowed: 'a customer whose points can be counted' }] },
    ])
    const said = `^error: line 3 of import ${id} of shop ${place.shop.id} cannot be given: \\w*Error: .`
    expect(log).toEqual([expect.stringMatching(said)])
  })

  it('asks Shopify for fifty addresses at once, in its rhythm', async () => {
    const place = await openSpendingShop([])
    const people = Array.from({ length: 120 }, () => stranger(place))
    const id = await take(place, ['email,points', ...people.map(({ email }) => `${email},1`)].join('\n'))
    // A bucket that stays empty for longer than the job waits: nothing was asked for, and the next turn goes on.
    place.trouble('CustomersByEmail', 'throttled')
    await work(place)
    expect(await stateOf(place, id)).toBe('checking')
    place.heal()
    place.operations.length = 0
    await work(place)
    expect(place.operations).toEqual(Array(3).fill('CustomersByEmail'))
    expect(await stateOf(place, id)).toBe('checked')
  })

  it('leaves out whom the program does not take, and whoever asked to be forgotten', async () => {
    const place = await openSpendingShop([], { enrolment: 'accounts' })
    const [guest, gone] = [stranger(place), await place.member(10)]
    place.store.updateCustomer(place.shop.domain, guest.customer as never, { state: 'disabled' })
    await applyEvents(place.shop.id, [{ type: 'erase', at: now(), customer: gone }], now())
    const id = await take(place, `shopify_customer_id,email,points\n,${guest.email},5\n${gone.split('/').at(-1)},,5\n`)
    await work(place)
    const refused = await listRefused(place.shop.id, id, 5)
    expect(refused.map(({ problems }) => problems[0]!.allowed)).toEqual([
      'a customer with an account in your store, as your program asks for',
      'a customer who did not ask to be forgotten',
    ])
  })

  it('of one shop is out of another’s reach', async () => {
    const [mine, theirs] = [await openSpendingShop([]), await openSpendingShop([])]
    const ann = stranger(mine)
    const id = await take(mine, `email,points\n${ann.email},100\n`)
    await work(mine)
    const other = theirs.shop.id
    expect(await findImport(other, id)).toBeNull()
    expect(await moveImport(other, id, ['checked'], 'applying', now())).toBe(false)
    expect(await discardImport(other, id, now())).toBe(false)
    expect(await listRefused(other, id, 5)).toEqual([])
    expect(await stateOf(mine, id)).toBe('checked')
    // The very same file is new to the other shop, whose customer has the same address.
    theirs.store.createCustomer(theirs.shop.domain, { email: ann.email })
    expect(await take(theirs, `email,points\n${ann.email},100\n`)).not.toBe(id)
  })
})

describe('an undo', () => {
  it('takes everything back by opposite transfers and leaves members as they were', async () => {
    const place = await openSpendingShop([], { tiers: TIERS })
    const [ann, ben, cleo] = [await place.member(10), stranger(place), await place.member(0)]
    const less = {
      type: 'adjust',
      at: now(),
      customer: cleo,
      points: -20,
      reason: 'r',
      actor: 'a',
      key: 'less',
    } as const
    await applyEvents(place.shop.id, [less], now())
    const before = await standing(place)
    const [annsId, cleosId] = [ann, cleo].map((customer) => customer.split('/').at(-1))
    const file = `shopify_customer_id,email,points,tier\n${annsId},,5,\n,${ben.email},300,Gold\n${cleosId},,50,\n`
    const id = await bring(place, file)
    expect(await balanceOf(place, cleo)).toBe(30)
    expect(await countPointsLeft(place.shop.id, id)).toBe(335)
    await undo(place, id)
    expect(await standing(place)).toEqual(before)
    expect((await memberOf(place, ben.customer))?.tier.level).toBe('member')
    expect(await findImport(place.shop.id, id)).toMatchObject({ state: 'undone' })
    expect(await countImport(place.shop.id, id)).toMatchObject({ back: 3, givenPoints: 355, takenBack: 355 })
    const notes = (await listTransfers(place.shop.id, ben.customer, 5)).map(({ note }) => note)
    expect(notes).toEqual(['Brought over from Smile.io: taken back', 'Brought over from Smile.io'])
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })

  it('leaves spent points spent and says how many it took', async () => {
    const place = await openSpendingShop([{ id: 'five', type: 'amount', value: '5.00', cost: 80 }])
    const ben = stranger(place)
    const id = await bring(place, `email,points\n${ben.email},100\n`)
    const at = now()
    await applyEvents(place.shop.id, [{ type: 'redeem', at, customer: ben.customer, reward: 'five', code: 'C-1' }], at)
    await undo(place, id)
    expect(await balanceOf(place, ben.customer)).toBe(0)
    expect(await countImport(place.shop.id, id)).toMatchObject({ givenPoints: 100, takenBack: 20 })
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })

  it('that cannot go on says so to the merchant and in the log, holds up no other import, and ends once it can', async () => {
    const place = await openSpendingShop([])
    const [ann, ben, cleo] = [stranger(place), stranger(place), stranger(place)]
    const id = await bring(place, `email,points\n${ann.email},100\n${ben.email},50\n`)
    const mend = await breakMember(place, ben.customer)
    const log = listenToLog()
    await undo(place, id)
    expect(await findImport(place.shop.id, id)).toMatchObject({
      state: 'undoing',
      error: expect.stringContaining('Something went wrong on our side'),
    })
    const said = `^error: import ${id} of shop ${place.shop.id} is held up while undoing: \\w*Error: .`
    expect(log).toEqual([expect.stringMatching(said)])
    const other = await take(place, `email,points\n${cleo.email},7\n`)
    await work(place)
    expect(await stateOf(place, other)).toBe('checked')

    await mend()
    await work(place)
    expect(await findImport(place.shop.id, id)).toMatchObject({ state: 'undone', error: null })
    expect(await countImport(place.shop.id, id)).toMatchObject({ takenBack: 150 })
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })

  it('follows a customer who was merged into another since', async () => {
    const place = await openSpendingShop([])
    const [ben, kept] = [stranger(place), await place.member(10)]
    const id = await bring(place, `email,points\n${ben.email},100\n`)
    await applyEvents(place.shop.id, [{ type: 'merge', at: now(), from: ben.customer, into: kept }], now())
    expect(await countPointsLeft(place.shop.id, id)).toBe(100)
    await undo(place, id)
    expect(await balanceOf(place, kept)).toBe(10)
  })

  it('of any file, brought over and taken back, leaves the shop’s books as before', async () => {
    const place = await openSpendingShop([])
    const people = [await place.member(10), await place.member(0), stranger(place).customer]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 3, maxLength: 3 }), async (points) => {
        const before = await standing(place)
        const lines = people.map((customer, at) => `${customer.split('/').at(-1)},${points[at]}`)
        await undo(place, await bring(place, ['shopify_customer_id,points', ...lines].join('\n')))
        expect(await standing(place)).toEqual(before)
      }),
      { numRuns: 8 },
    )
    expect((await checkLedger(place.shop.id)).differences).toEqual([])
  })
})

describe('what files say of people', () => {
  const textsOf = async (place: SpendingShop, id: string) =>
    (
      await pool.query<{ fields: string | null }>(
        'select fields from import_lines where shop_id = $1 and import_id = $2 order by line',
        [place.shop.id, id],
      )
    ).rows.map(({ fields }) => fields)

  it('is forgotten once it was given; of lines that could not be used after some days; of files left lying too', async () => {
    const place = await openSpendingShop([])
    const ben = stranger(place)
    const id = await bring(place, `email,points\n${ben.email},100\nnobody@example.com,1\n`)
    expect(await textsOf(place, id)).toEqual([null, '["nobody@example.com","1"]'])
    const lying = await take(place, `email,points\nnobody@example.com,2\n`)
    await work(place)
    await forgetOldImports(place.shop.id, now() - 1_000_000)
    expect(await stateOf(place, lying)).toBe('checked')
    await forgetOldImports(place.shop.id, now() + 1)
    expect([...(await textsOf(place, id)), ...(await textsOf(place, lying))]).toEqual([null, null, null])
    expect(await stateOf(place, lying)).toBe('discarded')
    // Why the line could not be used is still said, but not what stood in it.
    const [refused] = await listRefused(place.shop.id, id, 10)
    expect(refused!.problems).toEqual([{ ...refused!.problems[0], found: '…' }])
    expect(JSON.stringify(refused)).not.toContain('nobody@example.com')
  })

  it('stays where an address only ends like that of a customer who is erased', async () => {
    const place = await openSpendingShop([])
    const id = await take(place, `email,points\njoann@example.com,100\n" ANN@example.com ",5\n`)
    const erased = { customers: [], emails: ['ann@example.com'] }
    await inTransaction((client) => forgetInImports(place.shop.id, erased, client))
    expect(await textsOf(place, id)).toEqual(['["joann@example.com","100"]', null])
  })

  it('goes at once with a customer who is erased, by number and by address, and is not given any more', async () => {
    const place = await openSpendingShop([])
    const [ben, cleo] = [stranger(place), stranger(place)]
    const id = await take(place, `email,points\n${ben.email},100\n${cleo.email},5\nNobody@example.com,1\n`)
    await work(place)
    const erased = { customers: [ben.customer.split('/').at(-1)!], emails: ['nobody@EXAMPLE.com'] }
    await inTransaction((client) => forgetInImports(place.shop.id, erased, client))
    expect(await textsOf(place, id)).toEqual([null, `["${cleo.email}","5"]`, null])
    await moveImport(place.shop.id, id, ['checked'], 'applying', now())
    await work(place)
    expect(await balanceOf(place, ben.customer)).toBeNull()
    expect(await balanceOf(place, cleo.customer)).toBe(5)
  })

  it('goes with a customer’s own wish and with the shop, as Shopify’s webhooks ask for it; what the ledger holds stays', async () => {
    const place = await openSpendingShop([])
    const { id: shopId, domain } = place.shop
    const [ben, cleo] = [stranger(place), stranger(place)]
    const id = await bring(place, `email,points\n${ben.email},100\n${cleo.email},5\nnobody@example.com,1\n`)
    await receive(
      shopId,
      'customers/data_request',
      JSON.stringify({ customer: { id: Number(ben.customer.split('/').at(-1)) } }),
    )
    await drainShop(shopId)
    const answers = async () =>
      (await listPrivacyRequests(shopId)).filter(({ topic }) => topic === 'customers/data_request')
    expect(await answers()).toMatchObject([
      { answer: { broughtOver: [{ from: 'Smile.io', points: 100 }], reminders: [] } },
    ])
    const redact = { shop_domain: domain, orders_to_redact: [] }
    const customer = { id: Number(ben.customer.split('/').at(-1)), email: 'nobody@example.com' }
    await receive(shopId, 'customers/redact', JSON.stringify({ ...redact, customer }))
    await drainShop(shopId)
    expect(await textsOf(place, id)).toEqual([null, null, null])
    expect(await answers()).toMatchObject([{ answer: null }])

    await receive(shopId, 'app/uninstalled', '{}', { at: new Date(now()).toISOString() })
    await receive(shopId, 'shop/redact', '{"shop_id":1}', { at: new Date(now()).toISOString() })
    await drainShop(shopId)
    await eraseShops()
    expect(await findImport(shopId, id)).toBeNull()
    expect(await textsOf(place, id)).toEqual([])
    expect((await checkLedger(shopId)).differences).toEqual([])
  })

  it('is thrown away with a file that the merchant does not want', async () => {
    const place = await openSpendingShop([])
    const id = await take(place, 'email,points\nnobody@example.com,1\n')
    expect(await discardImport(place.shop.id, id, now())).toBe(true)
    expect(await textsOf(place, id)).toEqual([])
    expect(await moveImport(place.shop.id, id, ['checked'], 'applying', now())).toBe(false)
  })
})
