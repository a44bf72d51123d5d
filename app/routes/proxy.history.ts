import type { LoaderFunctionArgs } from '@remix-run/node'
import { findImportSources } from '#app/db/imports.server.ts'
import { listTransfers } from '#app/db/ledger.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { parseImportKey } from '#app/loyalty/imports.ts'
import { describeTransfers } from '#app/loyalty/member-history.ts'
import { answer, requireShopper } from '#app/shopper.server.ts'

const PAGE = 25

/** GET /proxy/history: what happened to the customer's points, newest first. `before` is the `next` of an earlier page. */
export async function loader({ request }: LoaderFunctionArgs) {
  const { shop, customer, words } = await requireShopper(request)
  const before = new URL(request.url).searchParams.get('before') ?? undefined
  if (before !== undefined && !/^\d{1,18}$/.test(before)) return answer({ ok: false, reason: 'invalid' }, 400)
  const member = (await readMembers(shop.id, [customer])).get(customer)
  if (!member || member.erasedAt !== null) return answer({ ok: true, entries: [], next: null })
  const transfers = await listTransfers(shop.id, member.id, { limit: PAGE, before })
  const next = transfers.length === PAGE ? (transfers.at(-1)?.position ?? null) : null
  const imports = [...new Set(transfers.flatMap(({ key }) => parseImportKey(key) ?? []))]
  const sources = await findImportSources(shop.id, imports)
  return answer({ ok: true, entries: describeTransfers(member.id, transfers, sources, words), next })
}
