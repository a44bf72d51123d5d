import { now } from '#app/clock.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { buildMemberCard } from '#app/loyalty/build-member-card.ts'
import type { MemberCard } from '#app/loyalty/member-card.ts'
import type { ShopperWords } from '#app/loyalty/shopper-words.ts'

/** A customer's card as it is now, straight from the ledger (the metafield follows a little later); null where the customer is no member. */
export async function showCard(shopId: number, customer: string, words: ShopperWords): Promise<MemberCard | null> {
  return (await showOwn(shopId, customer, words)).card
}

/** {@link showCard}, and the birthday that the customer told (undefined without one): that is for their own eyes, so no metafield has it. */
export async function showOwn(
  shopId: number,
  customer: string,
  words: ShopperWords,
): Promise<{ card: MemberCard | null; birthday: { month: number; day: number } | undefined }> {
  const [programs, members] = await Promise.all([loadPrograms(shopId), readMembers(shopId, [customer])])
  const member = members.get(customer)
  const told = member?.birthday
  return {
    card: programs && member ? buildMemberCard(member, programs, now(), words) : null,
    birthday: told ? { month: told.month, day: told.day } : undefined,
  }
}
