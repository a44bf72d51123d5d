// What the prediction models say of a shop and of each of its customers, as last fitted (jobs/fit-predictions).
import { inTransaction, pool, type Queryable } from '#app/db/client.server.ts'
import type { BackTest, CustomerPrediction } from '#app/retention/prediction.ts'
import type { BgNbd } from '#app/retention/bg-nbd.ts'
import type { GammaGamma } from '#app/retention/gamma-gamma.ts'

/** A shop's models, or why there are none. */
export type ShopPrediction =
  | {
      ok: false
      reason: 'not_enough_data'
      repeatCustomers: number
      repeatCustomersNeeded: number
      historyDays: number
      historyDaysNeeded: number
    }
  | {
      ok: true
      bgNbd: BgNbd
      gammaGamma: GammaGamma | null
      /** The same models fitted on all but the last days, and what happened in those; null where that past is too short. */
      backTest: BackTest | null
      customers: number
    }

/** The shop's prediction and when it was fitted (epoch milliseconds); null before the first fit. */
export async function findPrediction(
  shopId: number,
  client: Queryable = pool,
): Promise<{ prediction: ShopPrediction; fittedAt: number } | null> {
  const { rows } = await client.query<{ document: ShopPrediction; fitted_at: Date }>(
    'select document, fitted_at from predictions where shop_id = $1',
    [shopId],
  )
  const row = rows[0]
  return row ? { prediction: row.document, fittedAt: row.fitted_at.getTime() } : null
}

const CUSTOMERS_PER_INSERT = 20_000

/** What is kept of a customer, by the number inside its gid; `tenth` is the back-test's, null where it was in none. */
export type KeptPrediction = CustomerPrediction & { memberId: string; tenth: number | null }

/** Puts a new prediction in the place of the old one: the shop's, and each customer's. */
export async function savePrediction(
  shopId: number,
  prediction: ShopPrediction,
  customers: readonly KeptPrediction[],
  exponent: number,
  at: number,
): Promise<void> {
  await inTransaction(async (client) => {
    await client.query(
      `insert into predictions (shop_id, document, fitted_at) values ($1, $2, $3)
       on conflict (shop_id) do update set document = excluded.document, fitted_at = excluded.fitted_at`,
      [shopId, JSON.stringify(prediction), new Date(at)],
    )
    await client.query('delete from customer_predictions where shop_id = $1', [shopId])
    for (let from = 0; from < customers.length; from += CUSTOMERS_PER_INSERT) {
      const some = customers.slice(from, from + CUSTOMERS_PER_INSERT)
      await client.query(
        `insert into customer_predictions (shop_id, member_id, active, orders, value_minor, tenth)
         select $1, * from unnest($2::bigint[], $3::real[], $4::real[], $5::bigint[], $6::smallint[])`,
        [
          shopId,
          some.map((customer) => customer.memberId),
          some.map((customer) => toReal(customer.active)),
          some.map((customer) => toReal(customer.orders)),
          some.map(({ value }) => (value === null ? null : Math.round(value * 10 ** exponent))),
          some.map((customer) => customer.tenth),
        ],
      )
    }
  })
}

/** PostgreSQL refuses what is not 0 but too near to it for a real (about 1e-45), which is what a long-gone regular's chance can be. */
function toReal(value: number): number {
  return Math.abs(value) < 1e-30 ? 0 : value
}

/**
 * SQL of the chance that a customer (`c`, a row of customer_predictions of the shop $1) is active. Null where the data do not hold the model's
 * drop-out: it says about 100 % of everybody then.
 */
export function chanceSql(c: string): string {
  return `case when (select (f.document->'bgNbd'->>'atEdge')::bool from predictions f where f.shop_id = $1) then null else ${c}.active end`
}

/** What one customer (number of a gid) is expected to do in the twelve months after the fit; money in minor units. `active` is null where the shop's fit cannot tell. */
export type ExpectedOfCustomer = { active: number | null; orders: number; valueMinor: number | null; fittedAt: number }

/** The prediction of one customer; null before the first fit, where there is too little data, and for who came after it. */
export async function findCustomerPrediction(shopId: number, memberId: string): Promise<ExpectedOfCustomer | null> {
  const { rows } = await pool.query<{
    active: number | null
    orders: number
    value_minor: string | null
    fitted_at: Date
  }>(
    `select ${chanceSql('c')} as active, c.orders, c.value_minor, p.fitted_at
       from customer_predictions c join predictions p on p.shop_id = c.shop_id
      where c.shop_id = $1 and c.member_id = $2`,
    [shopId, memberId],
  )
  const row = rows[0]
  if (!row) return null
  return {
    active: row.active,
    orders: row.orders,
    valueMinor: row.value_minor === null ? null : Number(row.value_minor),
    fittedAt: row.fitted_at.getTime(),
  }
}

/** What all who are still customers are expected to do in the twelve months after the fit, and how many of them were in each tenth of the back-test. */
export async function sumPredictions(
  shopId: number,
  client: Queryable = pool,
): Promise<{ customers: number; orders: number; valueMinor: number | null; tenths: number[] }> {
  const { rows } = await client.query<{
    tenth: number | null
    customers: string
    orders: number
    value: string | null
  }>(
    `select p.tenth, count(*) as customers, sum(p.orders::float8) as orders, sum(p.value_minor) as value
       from customer_predictions p join customer_standings s on s.shop_id = $1 and s.member_id = p.member_id
      where p.shop_id = $1 group by p.tenth`,
    [shopId],
  )
  const values = rows.flatMap(({ value }) => (value === null ? [] : [Number(value)]))
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
  return {
    customers: sum(rows.map(({ customers }) => Number(customers))),
    orders: sum(rows.map(({ orders }) => orders)),
    valueMinor: values.length === 0 ? null : sum(values),
    tenths: Array.from({ length: 10 }, (_, place) =>
      Number(rows.find(({ tenth }) => tenth === place + 1)?.customers ?? 0),
    ),
  }
}
