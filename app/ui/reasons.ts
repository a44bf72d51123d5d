/** The engine's answers to "why", said in sentences that a merchant can repeat to a customer. */
import type { Reason, Why } from '#app/loyalty/order.ts'
import type { EarningDocument, ProgramDocument } from '#app/loyalty/program-document.ts'
import { showMoney, showPoints } from '#app/ui/words.ts'

/**
 * One reason in words: "Purchase: 5 beans for each $1.00 gave 36 beans". `program` is the version that priced the order; a rule
 * that is not in it is called by its id.
 */
export function sayReason(reason: Reason, program: ProgramDocument): string {
  if ('points' in reason) {
    return `${sayRule(reason.rule, program)} gave ${showPoints(reason.points, program.pointsName)}`
  }
  if ('multiplier' in reason) return `${nameOf(reason.rule, program)} multiplies by ${reason.multiplier}`
  if ('tier' in reason) return `Reached ${tierName(reason.tier, program)}`
  return `${nameOf(reason.rule, program)}: ${WHY_NOT[reason.why]}`
}

/** What an earning rule gives, in words: "5 beans for each $1.00". Multipliers read "2 times the points". */
export function sayEarning(rule: EarningDocument, program: Pick<ProgramDocument, 'pointsName' | 'currency'>): string {
  if (rule.multiplier !== undefined) return `${rule.multiplier} times the ${program.pointsName.other}`
  const points = showPoints(rule.points ?? 0, program.pointsName)
  if (rule.on !== 'order') return points
  if (rule.per === 'order') return `${points} for each order`
  if (rule.per === 'item') return `${points} for each item`
  return `${points} for each ${showMoney(rule.per ?? '1', program.currency)}`
}

/** What has to happen for a rule to give points, in words. */
export function sayOccasion(on: string): string {
  return OCCASIONS[on] ?? on.replace(/^custom:/, '')
}

const OCCASIONS: Record<string, string> = {
  order: 'Buying',
  signup: 'Signing up',
  birthday: 'Birthday',
  review: 'Writing a review',
  profile: 'Completing the profile',
  referral: 'Bringing a friend',
  'custom:feedback': 'Saying whether they would recommend you',
}

function sayRule(id: string, program: ProgramDocument): string {
  const rule = program.earning.find((one) => one.id === id)
  return rule ? `${sayOccasion(rule.on)}, ${sayEarning(rule, program)},` : nameOf(id, program)
}

/** Rules have ids, tiers and campaigns have names; the engine names them `tier:<id>`, `campaign:<id>` or the bare id. */
function nameOf(rule: string, program: ProgramDocument): string {
  const id = rule.replace(/^(tier|campaign|rule):/, '')
  const tier = program.tiers?.levels.find((level) => level.id === id)
  if (tier) return `Tier ${tier.name}`
  const campaign = program.campaigns.find((one) => one.id === id)
  if (campaign) return `Campaign ${campaign.name}`
  const earning = program.earning.find((one) => one.id === id)
  if (earning) return sayOccasion(earning.on) + (earning.multiplier === undefined ? '' : ` (${id})`)
  return id === '' || id === 'order' || id === 'program' ? 'This order' : id
}

function tierName(id: string, program: ProgramDocument): string {
  return program.tiers?.levels.find((level) => level.id === id)?.name ?? id
}

/** Why something gave nothing, one sentence each. */
export const WHY_NOT: Record<Why, string> = {
  not_paid: 'it is not paid yet',
  cancelled: 'it was cancelled',
  voided: 'its payment was voided',
  deleted: 'it was deleted',
  test_order: 'it is a test order',
  no_customer: 'it belongs to no customer',
  not_a_member: 'the customer had not joined',
  erased: 'the customer asked to be forgotten',
  before_program: 'it was placed before the program began',
  other_currency: 'it is in another currency than the program',
  channel_excluded: 'its sales channel earns nothing',
  nothing_counts: 'nothing in it counts (gift cards, shipping, left-out products)',
  below_one_point: 'it comes to less than one point',
  no_matching_lines: 'no product in it is one of those the rule is for',
  no_rule: 'no rule gives points for it',
  not_yet: 'the rule had not begun',
  ended: 'the rule had ended',
  tier: 'the member’s tier is not one of those the rule is for',
  minimum_subtotal: 'the order is below the minimum',
  weekday: 'it was not one of the rule’s weekdays',
  channel: 'its sales channel is not one of those the rule is for',
  limit_reached: 'the rule’s limit was reached',
  lower_than_another: 'another multiplier is higher, and only the highest counts',
  moved_to_another_customer: 'the order now belongs to another customer',
}

/** What a movement of points was, by the ledger's word for it: "Earned with an order", "Expired". */
export function sayMovement(reason: string): string {
  return MOVEMENTS[reason] ?? reason
}

const MOVEMENTS: Record<string, string> = {
  order: 'Earned with an order',
  release: 'Waiting time over: can be spent now',
  signup: 'Signed up',
  birthday: 'Birthday',
  review: 'Wrote a review',
  profile: 'Completed the profile',
  referral: 'Brought a friend',
  custom: 'Earned with an activity',
  tier_entry: 'Reached a tier',
  reserve: 'Set aside for a reward',
  redeem: 'Spent on a reward',
  redeem_released: 'Reward not issued: given back',
  redeem_returned: 'Reward unused or refunded: given back',
  redeem_kept: 'Reward used',
  expire: 'Expired',
  take_back: 'Taken back after a refund or cancellation',
  spared: 'Could not be taken back: written off',
  adjust: 'Changed by hand',
  merge: 'Moved with a merged customer',
  erase: 'Forfeited: the customer asked to be forgotten',
}
