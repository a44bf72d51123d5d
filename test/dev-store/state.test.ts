import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { listenForWebhooks } from './listener.ts'
import { createStore, type DevStore } from './state.ts'

const SHOP = 'tea.myshopify.com'
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function dataFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dev-store-'))
  folders.push(folder)
  return join(folder, 'store.jsonl')
}

function open(file: string, appUrl = 'http://127.0.0.1:1'): DevStore {
  return createStore({ appUrl, apiKey: 'key', apiSecret: 'secret', dataFile: file, retryDelaysMs: [60_000] })
}

describe('what the dev store remembers', () => {
  it('is there again after a restart: customers, orders, codes, metafields, tokens, and the clock', () => {
    const file = dataFile()
    const store = open(file)
    store.addShop({ domain: SHOP })
    store.installApp(SHOP)
    const { accessToken } = store.issueToken(SHOP)
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com', tags: ['gold'] })
    const placed = store.placeOrder(SHOP, { customerId: ann.id, lines: [{ quantity: 1, unitPriceMinor: 1000 }] })
    store.addDiscount(SHOP, { kind: 'code_basic', title: 'Ten off' }, 'TEN')
    store.advanceTime(86_400_000)
    store.close()

    const again = open(file)
    expect(again.customerByEmail(SHOP, 'ANN@example.com')).toEqual(ann)
    expect(again.ordersOf(ann.id)).toEqual([placed.ok && placed.order])
    expect(again.checkCode(SHOP, 'ten', null)).toMatchObject({ ok: true })
    expect(again.shop(SHOP).installation!.tokens[0]!.accessToken).toBe(accessToken)
    expect(again.clockOffsetMs()).toBe(86_400_000)
    const next = again.placeOrder(SHOP, { lines: [{ quantity: 1, unitPriceMinor: 1000 }] })
    expect(next.ok && next.order.name).toBe('#1002')
    expect(next.ok && placed.ok && next.order.id !== placed.order.id).toBe(true)
    again.close()
  })

  it('survives a last line that broke off, and forgets only that', () => {
    const file = dataFile()
    const store = open(file)
    store.addShop({ domain: SHOP })
    store.createCustomer(SHOP, { email: 'ann@example.com' })
    store.close()
    const whole = readFileSync(file, 'utf8')
    appendFileSync(file, '[["customers","gid://shopify/Cus')

    const again = open(file)
    expect(again.customers(SHOP)).toHaveLength(1)
    again.createCustomer(SHOP, { email: 'bob@example.com' })
    again.close()
    expect(readFileSync(file, 'utf8').startsWith(whole.slice(0, 50))).toBe(true)
    const third = open(file)
    expect(third.customers(SHOP)).toHaveLength(2)
    third.close()
  })

  it('loses nothing that was answered when the process is killed', async () => {
    const file = dataFile()
    const script = `
      import { createStore } from ${JSON.stringify(resolve(import.meta.dirname, 'state.ts'))}
      const store = createStore({ appUrl: 'http://127.0.0.1:1', apiKey: 'k', apiSecret: 's', dataFile: ${JSON.stringify(file)} })
      store.addShop({ domain: '${SHOP}' })
      for (let index = 0; ; index += 1) {
        store.placeOrder('${SHOP}', { lines: [{ quantity: 1, unitPriceMinor: 1000 }] })
        process.stdout.write(index + '\\n')
        if (index % 20 === 0) await new Promise((done) => setTimeout(done, 1))
      }`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    await expect.poll(() => printed.split('\n').length, { timeout: 20_000 }).toBeGreaterThan(100)
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await ended

    const answered = printed.trim().split('\n').length
    const store = open(file)
    expect(store.orders(SHOP).length).toBeGreaterThanOrEqual(answered)
    expect(store.orders(SHOP).map((order) => order.number)).toEqual(store.orders(SHOP).map((_, index) => 1001 + index))
    store.close()
  })

  it('sends after the restart what could not be sent before', async () => {
    const file = dataFile()
    const store = open(file)
    store.addShop({ domain: SHOP })
    store.installApp(SHOP)
    store.createCustomer(SHOP, { email: 'ann@example.com', state: 'invited' })
    store.close()

    const listener = await listenForWebhooks()
    const again = open(file, listener.url)
    await again.drained()
    expect(listener.of('customers/create').map((each) => each.json.state)).toEqual(['invited'])
    again.close()
    await listener.close()
  })

  it('of one shop is never found from another', () => {
    const store = createStore({ appUrl: 'http://127.0.0.1:1', apiKey: 'k', apiSecret: 's' })
    store.addShop({ domain: SHOP })
    store.addShop({ domain: 'other.myshopify.com' })
    const ann = store.createCustomer(SHOP, { email: 'ann@example.com' })
    expect(store.customer('other.myshopify.com', ann.id)).toBeUndefined()
    expect(store.customerByEmail('other.myshopify.com', 'ann@example.com')).toBeUndefined()
    expect(store.customers('other.myshopify.com')).toEqual([])
    store.close()
  })
})
