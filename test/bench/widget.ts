import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createStore, resolveNamespace } from '#test/dev-store/state.ts'
import { newShopper } from '#test/dev-store/shopper.ts'
import { readBlocks } from '#test/dev-store/storefront/liquid.ts'
import { createStorefront } from '#test/dev-store/storefront/storefront.ts'

/**
 * `npm run bench -- widget`: what our theme blocks add to a storefront page, in bytes: script and style as Shopify serves them
 * (limits of theme check: 10 000 and 100 000), and the HTML that Liquid renders. Sizes are facts of the files, so that one
 * run is enough; time on a page is for Lighthouse on a real theme.
 */

const EXTENSION = { name: 'loyalty-blocks', folder: join(import.meta.dirname, '../../extensions/loyalty-blocks') }
const SHOP = 'widget.myshopify.com'
/** Pages of the demo theme on which blocks stand, with what they are without any. */
const PAGES = ['/', '/products/mug', '/pages/loyalty', '/cart']

/** Prints one JSON line for each block's files and for each page. */
export async function benchWidget(print: (figure: Record<string, unknown>) => void): Promise<void> {
  for (const { handle, schema } of readBlocks(EXTENSION)) {
    print({
      bench: 'widget',
      figure: 'block',
      block: handle,
      ...sizes('script', schema.javascript),
      ...sizes('style', schema.stylesheet),
    })
  }
  const bare = await openShop(false)
  const full = await openShop(true)
  for (const path of PAGES) {
    const [without, withBlocks] = [(await bare.get(path)).html, (await full.get(path)).html]
    const files = [...withBlocks.matchAll(/(?:src|href)="\/cdn\/extensions\/[^"]+\/assets\/([^"]+)"/g)].map(
      (match) => match[1]!,
    )
    print({
      bench: 'widget',
      figure: 'page',
      page: path,
      htmlBytes: Buffer.byteLength(withBlocks) - Buffer.byteLength(without),
      htmlGzipBytes: gzipSync(withBlocks).length - gzipSync(without).length,
      files: files.length,
      filesGzipBytes: files.reduce((sum, file) => sum + gzipSync(readAsset(file)).length, 0),
    })
  }
}

function sizes(name: string, file: string | undefined): Record<string, number> {
  if (file === undefined) return { [`${name}Bytes`]: 0, [`${name}GzipBytes`]: 0 }
  const content = readAsset(file)
  return { [`${name}Bytes`]: content.length, [`${name}GzipBytes`]: gzipSync(content).length }
}

function readAsset(file: string): Buffer {
  return readFileSync(join(EXTENSION.folder, 'assets', file))
}

/** A shop with one product and a signed-in member with a full card, with the app or without. */
async function openShop(withApp: boolean) {
  const store = createStore({ appUrl: 'http://127.0.0.1:9', apiKey: 'key', apiSecret: 'secret', webhookConcurrency: 0 })
  store.addShop({ domain: SHOP })
  store.addProduct(SHOP, { title: 'Mug', priceMinor: 2000 })
  const customer = store.createCustomer(SHOP, { email: 'ann@example.com', firstName: 'Ann' })
  if (withApp) {
    const write = (ownerId: string, namespace: string, key: string, value: unknown) => {
      const id = store.tables.newId('Metafield')
      const row = { id, shop: SHOP, ownerId, namespace: resolveNamespace(namespace), key, type: 'json' }
      const rest = { value: JSON.stringify(value), compareDigest: '', createdAt: 0, updatedAt: 0 }
      store.tables.put('metafields', id, { ...row, ...rest })
    }
    write(store.installApp(SHOP).id, 'loyalty', 'program', PROGRAM)
    write(customer.id, '$app', 'member_card', CARD)
  }
  const shopper = newShopper(await createStorefront({ store }))
  await shopper.post('/account/login', { customer: customer.id.split('/').at(-1)! })
  return shopper
}

const REWARDS = ['five', 'ten', 'ship', 'mug', 'share'].map((id) => ({
  id,
  type: 'amount',
  label: '$5.00 off',
  cost: 500,
  conditions: ['From $20.00', 'Valid for 90 days'],
}))

const PROGRAM = {
  version: 1,
  name: 'Bean Club',
  pointsName: { one: 'bean', other: 'beans' },
  currency: 'USD',
  enrolment: 'everyone',
  holdDays: 14,
  earning: [{ id: 'purchase', on: 'order', label: '5 beans for every $1.00' }],
  tiers: ['Member', 'Silver', 'Gold'].map((name) => ({
    id: name,
    name,
    from: 'From $200.00 a year',
    perks: ['10% off'],
  })),
  rewards: REWARDS,
}

const CARD = {
  version: 1,
  balance: 1240,
  pending: 85,
  tier: { id: 'Silver', name: 'Silver' },
  progress: { next: { id: 'Gold', name: 'Gold' }, metric: 'spend', missing: '120.00', percent: 60 },
  nextExpiry: { points: 200, at: '2027-03-31T22:59:59.000Z' },
  codes: [{ code: '1XKBMYDG2TZB', id: 'rdm_1', reward: 'five', label: '$5.00 off', points: 500, until: null }],
  heldOut: [],
  segments: [],
}
