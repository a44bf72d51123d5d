import { data, type ActionFunctionArgs } from '@remix-run/node'

import { now } from '#app/clock.server.ts'
import { eachMember } from '#app/db/each-member.server.ts'
import { parseAcceptedProgram } from '#app/loyalty/parse-program.ts'
import { namesOrNone } from '#app/shopify/customers.server.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { findTierMove, gatherMoves, type TierMove, type TierMoves } from '#app/ui/tier-moves.ts'

export { keepPage as clientAction } from '#app/ui/keep-page.ts'

/** More members than this are not looked at while somebody waits; the answer says so. */
const MEMBERS_MAX = 20_000
const DOCUMENT_LENGTH_MAX = 1_000_000

/** Who would move, with names by customer gid; or why the program cannot be read. */
export type TierPreviewReply =
  { ok: true; moves: TierMoves; names: Record<string, string> } | { ok: false; message: string }

/** Says who would move if the posted program were saved. Changes nothing. */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, admin } = await requireMerchant(request)
  const text = String((await request.formData()).get('document') ?? '')
  const parsed = text.length > DOCUMENT_LENGTH_MAX ? null : parseAcceptedProgram(readJson(text))
  if (!parsed?.ok) return data<TierPreviewReply>({ ok: false, message: 'The form is not complete yet.' }, 400)
  const at = now()
  const moves: TierMove[] = []
  let members = 0
  for await (const member of eachMember(shop.id, MEMBERS_MAX)) {
    members += 1
    const move = findTierMove(member, parsed.program, at)
    if (move) moves.push(move)
  }
  const gathered = gatherMoves(moves, members, members === MEMBERS_MAX)
  const names = await namesOrNone(
    admin,
    gathered.examples.map((move) => move.customer),
  )
  return data<TierPreviewReply>({ ok: true, moves: gathered, names })
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
