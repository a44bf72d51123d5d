/** A Shopify order as its webhooks carry it (API 2026-10), cut down to the fields that the app reads. */
export type OrderSketch = {
  id: number | bigint
  customer?: number | bigint | null
  /** Price of the goods: one line, or several. */
  goods: string | string[]
  status?: string
  currency?: string
  placedAt?: string
  updatedAt?: string
  cancelledAt?: string | null
  /** Units of each line that are left; 1 where not given. */
  left?: number[]
  codes?: { code: string; amount: string }[]
  test?: boolean
}

const money = (amount: string, currency: string) => ({ shop_money: { amount, currency_code: currency } })

/** The payload of `orders/paid` and its kin. Ids are put in as numbers of any size, so the result is text. */
export function orderBody(sketch: OrderSketch): string {
  const { id, customer = null, currency = 'EUR', placedAt = '2026-08-01T10:00:00+02:00' } = sketch
  const goods = Array.isArray(sketch.goods) ? sketch.goods : [sketch.goods]
  const discounts = sketch.codes ?? []
  const lines = goods.map((price, at) => ({
    admin_graphql_api_id: `gid://shopify/LineItem/${id}${at}`,
    product_id: 7_990_000_000_001,
    quantity: 1,
    current_quantity: sketch.left?.[at] ?? 1,
    price,
    price_set: money(price, currency),
    gift_card: false,
    tax_lines: [],
    discount_allocations:
      at === 0 ? discounts.map(({ amount }) => ({ amount, amount_set: money(amount, currency) })) : [],
  }))
  const body = JSON.stringify({
    admin_graphql_api_id: `gid://shopify/Order/${id}`,
    currency,
    test: sketch.test ?? false,
    source_name: 'web',
    processed_at: placedAt,
    created_at: placedAt,
    updated_at: sketch.updatedAt ?? placedAt,
    cancelled_at: sketch.cancelledAt ?? null,
    financial_status: sketch.status ?? 'paid',
    taxes_included: true,
    customer:
      customer === null ? null : { admin_graphql_api_id: `gid://shopify/Customer/${customer}`, state: 'enabled' },
    discount_codes: discounts.map(({ code, amount }) => ({ code, amount, type: 'fixed_amount' })),
    line_items: lines,
    shipping_lines: [],
    refunds: [],
  })
  // The numeric id as Shopify sends it beside the gid, also where it passes 2^53.
  return body.replace('{', `{"id":${id},`)
}
