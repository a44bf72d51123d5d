import type { ActionFunctionArgs } from '@remix-run/node'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import { estimatePoints } from '#app/loyalty/estimate.ts'
import { toGid } from '#app/loyalty/ids.ts'
import { answer, readBody, requireVisitor } from '#app/shopper.server.ts'

const number = z.string().regex(/^\d{1,20}$/)
const hundredths = z.int().min(0).max(1_000_000_000_000)

const Question = z.strictObject({
  currency: z.string().max(3),
  taxesIncluded: z.boolean().default(false),
  lines: z
    .array(
      z.strictObject({
        product: number,
        variant: number,
        quantity: z.int().min(1).max(1_000_000),
        price: hundredths,
        compareAt: hundredths.nullable(),
        giftCard: z.boolean(),
        collections: z.array(number).max(250),
        tags: z.array(z.string().max(255)).max(250),
      }),
    )
    .min(1)
    .max(500),
})

/**
 * POST /proxy/estimate: what these lines would earn whoever asks, by the engine's own calculator. It changes nothing and gives nothing
 * away, so that guests may ask too. With `join` they are for members only, and whoever asks is none. `other_currency` where the storefront shows prices that are not in the shop's currency.
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, customer } = await requireVisitor(request)
  const { currency, taxesIncluded, lines } = await readBody(request, Question)
  const programs = await loadPrograms(shop.id)
  if (!programs) return answer({ ok: false, reason: 'no_program' })
  const at = now()
  const { program } = versionAt(programs, at)
  if (currency !== program.currency) return answer({ ok: false, reason: 'other_currency' })
  const member = customer ? ((await readMembers(shop.id, [customer])).get(customer) ?? null) : null
  const seen = lines.map((line) => ({
    ...line,
    product: toGid('Product', line.product),
    collections: line.collections.map((collection) => toGid('Collection', collection)),
  }))
  return answer({
    ok: true,
    ...estimatePoints(seen, program, member, { at, taxesIncluded, signedIn: customer !== null }),
  })
}
