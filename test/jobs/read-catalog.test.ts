import { expect, it } from 'vitest'
import { now } from '#app/clock.server.ts'
import { changeCycles, findCustomerLifecycle, findCycleDifferences, findRecount } from '#app/db/cycles.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { carryOutShop } from '#app/jobs/carry-out-outbox.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import { readShopCatalog } from '#app/jobs/read-catalog.ts'
import { reconcile } from '#app/jobs/reconcile.ts'
import { atInstant } from '../setup/factories.ts'
import { openSpendingShop } from './spending-shop.ts'

it('lets orders wait until the products are known that the program’s rules ask for, and then counts tags and sale prices', async () => {
  const earning = [
    { id: 'purchase', on: 'order' as const, points: 1, per: '1.00' },
    { id: 'fair', on: 'order' as const, multiplier: 3, when: { tags: ['fair-trade'] } },
  ]
  const basis = { tax: false, shipping: false, saleItems: false }
  const { store, shop, admin } = await openSpendingShop([], { earning, basis } as never)
  const customer = store.createCustomer(shop.domain, { email: 'ann@example.com' })
  const sell = (product: { variants: { id: `gid://shopify/${string}` }[] }) =>
    store.placeOrder(shop.domain, {
      customerId: customer.id,
      lines: [{ variantId: product.variants[0]!.id, quantity: 1 }],
    })
  sell(store.addProduct(shop.domain, { title: 'Beans', priceMinor: 1000, tags: ['fair-trade'] }) as never)
  sell(store.addProduct(shop.domain, { title: 'Mug', variants: [{ priceMinor: 700, compareAtMinor: 900 }] }) as never)
  sell(store.addProduct(shop.domain, { title: 'Tea', priceMinor: 500 }) as never)
  await reconcile(shop, admin)

  expect(await drainShop(shop.id)).toEqual({ done: 0, failed: 0, left: 0, withoutRules: true })
  expect(await readShopCatalog(shop, admin)).toBe(3)
  expect(await readShopCatalog(shop, admin)).toBe(0)
  expect(await drainShop(shop.id)).toMatchObject({ done: 3 })
  const member = (await readMembers(shop.id, [customer.id])).get(customer.id)!
  // 10.00 of fair-trade goods three times, the mug is on sale and gives nothing, 5.00 of tea once.
  expect(member.available + member.pending).toBe(35)
})

it('reads the products for replacement cycles of types and tags, and goes through the orders again where one was reclassified', async () => {
  const { store, shop, admin } = await openSpendingShop([])
  const product = store.addProduct(shop.domain, { title: 'Rest', priceMinor: 50_000, productType: 'Mattress' })
  const customer = store.createCustomer(shop.domain, { email: 'ann@example.com' })
  store.placeOrder(shop.domain, {
    customerId: customer.id,
    lines: [{ variantId: product.variants[0]!.id, quantity: 1 }],
  })
  await reconcile(shop, admin)
  expect(await drainShop(shop.id)).toMatchObject({ done: 1 })
  // Nothing asks for the products yet.
  expect(await readShopCatalog(shop, admin)).toBe(0)
  const number = customer.id.split('/').at(-1)!
  const lasts = async () => (await findCustomerLifecycle(shop.id, number))?.own?.because?.cycle.days
  await changeCycles(shop.id, () => [{ of: 'type', value: 'mattress', days: 3_650 }], now())
  const carryOn = async (hours: number) => {
    const later = new Date(now() + hours * 3_600_000).toISOString()
    await atInstant(later, () => carryOutShop(shop.id, () => admin))
  }
  await carryOn(0)
  await carryOn(0.1)
  expect(await lasts()).toBe(3_650)
  expect(await findRecount(shop.id)).toMatchObject({ state: 'done', position: 1 })
  store.updateProduct(shop.domain, product.id, { productType: 'Cushion' })
  await atInstant(new Date(now() + 3_600_000).toISOString(), () => readShopCatalog(shop, admin))
  await carryOn(2)
  expect(await lasts()).toBeUndefined()
  expect(await findCycleDifferences(shop.id)).toEqual([])
})
