/** Shoppers of the demo who spend their points as anybody would: signed in on the storefront, through the app, and at checkout. */
import type { Customer } from '../records.ts'
import type { DevStore } from '../state.ts'
import { DEMO_SHOP } from './play.ts'

const DAY_MS = 86_400_000

/** Days before the present on which some of the best customers spend points. */
const ROUNDS_DAYS_AGO = [120, 60, 21, 3]
const SHOPPERS_PER_ROUND = 9
/** What they would like, the dearest first; whoever cannot have it takes the next. */
const WISHES: { reward: string; points?: number }[] = [
  { reward: 'ten-percent' },
  { reward: 'any-amount', points: 240 },
  { reward: 'five-off' },
  { reward: 'free-delivery' },
]
/** One in so many keeps the code for later. */
const KEEPS_CODE = 3
/** What they buy with a code: enough for every reward's minimum. */
const CART_MINOR = 2_500

/** The instants at which points are spent, and what happens then. `settled` waits until the app has worked off all that came before. */
export function planSpending(
  store: DevStore,
  storeUrl: string,
  today: number,
  settled: () => Promise<void>,
): { at: number; act: () => Promise<void> }[] {
  return ROUNDS_DAYS_AGO.map((days, round) => ({
    at: today - days * DAY_MS,
    act: async () => {
      await store.drained()
      await settled()
      for (const [place, customer] of findBestCustomers(store, round).entries()) {
        await spend(store, storeUrl, customer, {
          key: `demo-round-${round}`,
          wish: place % WISHES.length,
          keeps: place % KEEPS_CODE === 0,
        })
      }
    },
  }))
}

/** Others in every round: those with the most orders so far come first. */
function findBestCustomers(store: DevStore, round: number): Customer[] {
  const orders = Map.groupBy(store.orders(DEMO_SHOP), (order) => order.customerId)
  return store
    .customers(DEMO_SHOP)
    .map((customer) => ({ customer, orders: orders.get(customer.id)?.length ?? 0 }))
    .sort((a, b) => b.orders - a.orders || (a.customer.id < b.customer.id ? -1 : 1))
    .slice(round * SHOPPERS_PER_ROUND, (round + 1) * SHOPPERS_PER_ROUND)
    .map(({ customer }) => customer)
}

type Plan = { key: string; wish: number; keeps: boolean }

async function spend(store: DevStore, storeUrl: string, customer: Customer, { key, wish, keeps }: Plan): Promise<void> {
  const visit = await signIn(storeUrl, customer)
  for (const { reward, points } of WISHES.slice(wish)) {
    const answer = await visit('/apps/loyalty/redeem', { json: { reward, points, key: `${key}-${reward}` } })
    const said = (await answer.json()) as { ok: boolean; state?: string; code?: { code: string } }
    if (!said.ok) continue
    if (keeps || said.state !== 'issued' || !said.code) return
    const variant = store.products(DEMO_SHOP).find((product) => product.variants[0]!.priceMinor >= 100)!.variants[0]!
    const quantity = Math.ceil(CART_MINOR / variant.priceMinor)
    await visit('/cart/add', { form: { id: variant.id.split('/').at(-1)!, quantity: String(quantity) } })
    await visit('/cart/code', { form: { code: said.code.code } })
    await visit('/checkout', { form: { intent: 'pay' } })
    return
  }
}

type Visit = (path: string, body: { json: unknown } | { form: Record<string, string> }) => Promise<Response>

/** A browser without a window: posts, and keeps its cookies. */
async function signIn(storeUrl: string, customer: Customer): Promise<Visit> {
  const cookies = new Map<string, string>()
  const visit: Visit = async (path, body) => {
    const response = await fetch(storeUrl + path, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'Content-Type': 'json' in body ? 'application/json' : 'application/x-www-form-urlencoded',
      },
      body: 'json' in body ? JSON.stringify(body.json) : new URLSearchParams(body.form).toString(),
    })
    if (response.status >= 500) throw new Error(`${path} answered ${response.status}`)
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0]!.split('=')
      cookies.set(name!, value ?? '')
    }
    return response
  }
  await visit('/account/login', { form: { customer: customer.id.split('/').at(-1)! } })
  return visit
}
