import { now } from '#app/clock.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { buildMemberCard } from '#app/loyalty/build-member-card.ts'
import type { MemberCard } from '#app/loyalty/member-card.ts'

/** A customer's card as it is now, straight from the ledger (the metafield follows a little later); null where the customer is no member. */
export async function showCard(shopId: number, customer: string): Promise<MemberCard | null> {
  const [programs, members] = await Promise.all([loadPrograms(shopId), readMembers(shopId, [customer])])
  const member = members.get(customer)
  return programs && member ? buildMemberCard(member, programs, now()) : null
}
