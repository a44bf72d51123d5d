import type { LoaderFunctionArgs } from '@remix-run/node'

import { listMembers, type MemberListAsk } from '#app/db/member-list.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { formatInstant } from '#app/loyalty/time.ts'
import { askMembers } from '#app/member-ask.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { csvFile } from '#app/ui/csv-file.ts'

const MEMBERS_A_PIECE = 5_000
const HEAD = [
  ...['customer', 'tier', 'to_spend', 'waiting', 'set_aside', 'earned_in_all'],
  ...['orders', 'spent', 'currency', 'last_order', 'joined'],
]

/** GET /app/members/export: the members that the list is showing as CSV, all of its pages and in its order, without their names. */
export async function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  const { shop, admin } = await requireMerchant(request)
  const { ask, searchFailed } = await askMembers(admin, new URL(request.url).searchParams)
  if (searchFailed) throw Response.json({ message: 'Shopify could not be asked for names just now' }, { status: 503 })
  return csvFile('members.csv', writeMembers(shop, ask))
}

async function* writeMembers(shop: Shop, ask: Omit<MemberListAsk, 'size'>) {
  const published = await findPublishedProgram(shop.id)
  const tiers = new Map(published?.document.tiers?.levels.map(({ id, name }) => [id, name]))
  yield [HEAD]
  for (let cursor: string | undefined; ;) {
    const { rows, next } = await listMembers(shop.id, { ...ask, cursor, size: MEMBERS_A_PIECE })
    yield rows.map((row) => [
      row.customer,
      row.tier && (tiers.get(row.tier) ?? row.tier),
      ...[row.available, row.pending, row.reserved, row.lifetimeEarned, row.orders],
      ...[formatMoney(row.spentMinor, shop.currency), shop.currency],
      row.lastOrderAt === null ? null : formatInstant(row.lastOrderAt),
      formatInstant(row.joinedAt),
    ])
    if (next === null) return
    cursor = next
  }
}
