import { fixedValue, rewardLabel, showMoney } from './discount-terms.ts'
import type { CardReward, ProgramCard } from './member-card.ts'
import { formatDecimal, formatMoney } from './money.ts'
import { MULTIPLIER_ONE } from './ratios.ts'
import type { EarningRule, Level, Limit, Program, Reward, Tiers } from './program.ts'

/** Ways to earn that are not an order, in a shopper's words. */
const OCCASIONS: Record<string, string> = {
  signup: 'for signing up',
  birthday: 'on your birthday',
  review: 'for a review',
  profile: 'for completing your profile',
  referral: 'for bringing a friend',
  'custom:feedback': 'for your feedback',
}

const AND = new Intl.ListFormat('en-GB', { type: 'conjunction' })
const OR = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/** Titles of products by gid, as far as they are known. */
export type ProductTitles = Readonly<Record<string, string>>

/** A free product's reward names so many products; the others are counted. */
const TITLES_MAX = 3
/** Longer titles are cut, so that a card stays small and a line of it readable. */
const TITLE_CHARACTERS_MAX = 60

/**
 * What everybody may see of a program, in words: rewards, ways to earn, tiers. `at` (epoch ms) leaves out rules whose window is
 * over; those to come are left out too, because the card is written again when the program changes, not when a window opens.
 * `titles` name the products that rewards give.
 */
export function buildProgramCard(program: Program, at: number, titles: ProductTitles = {}): ProgramCard {
  const { document } = program
  return {
    version: 1,
    name: document.name,
    pointsName: document.pointsName,
    currency: program.currency,
    enrolment: program.enrolment,
    holdDays: program.holdDays,
    earning: program.earning
      .filter((rule) => rule.fromAt <= at && at < rule.untilAt && (rule.points > 0 || rule.multiplier !== null))
      .map((rule) => ({
        id: rule.id,
        on: rule.on,
        label: [describeRule(program, rule), ...describeWhen(program, rule)].join(' · '),
      })),
    tiers: (program.tiers?.levels ?? []).map((level) => ({
      id: level.id,
      name: level.name,
      from: describeThreshold(program, program.tiers as Tiers, level),
      perks: describePerks(level),
    })),
    rewards: program.rewards.map((reward) => describeReward(program, reward, titles)),
  }
}

function describeRule(program: Program, rule: EarningRule): string {
  const { one, other } = program.document.pointsName
  const where = rule.when.products || rule.when.collections || rule.when.tags ? ' on selected products' : ''
  if (rule.multiplier !== null) {
    return `${trimZeros(formatDecimal(rule.multiplier, 4))}× ${other}${where}`
  }
  const earned = `${rule.points} ${rule.points === 1 ? one : other}`
  if (rule.on !== 'order') return `${earned} ${OCCASIONS[rule.on] ?? `for ${rule.on.replace(/^custom:/, '')}`}`
  if (rule.per === 'item') return `${earned} for every item${where}`
  if (rule.per === 'order') return `${earned} for every order${where}`
  return `${earned} for every ${showMoney(program, formatMoney(rule.perAmount, program.currency))} spent${where}`
}

/** Sales channels that shoppers know by a name; of the others they read that there are some. */
const CHANNELS: Record<string, string> = {
  web: 'in the online store',
  pos: 'in our shops',
  b2b: 'on company orders',
  subscription: 'on subscriptions',
}
const WEEKDAYS = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays']

/** What must be true besides for the rule to count, in the words of a reward's conditions where both have them. */
function describeWhen(program: Program, { on, when, limit }: EarningRule): string[] {
  return [
    ...describeMinimum(program, when.minimumSubtotal),
    ...describeWeekdays(when.weekdays),
    ...describeChannels(when.channels),
    ...describeTiers(program, when.tiers),
    ...(limit === null || isMeant(on, limit) ? [] : [describeLimit(limit)]),
  ]
}

function describeWeekdays(weekdays: ReadonlySet<number> | null): string[] {
  if (weekdays === null || weekdays.size === WEEKDAYS.length) return []
  const days = [...weekdays].sort((a, b) => a - b)
  if (days.join() === '6,7') return ['On weekends']
  if (days.join() === '1,2,3,4,5') return ['On weekdays']
  return [`On ${AND.format(days.map((day) => WEEKDAYS[day - 1] ?? ''))}`]
}

function describeChannels(channels: ReadonlySet<string> | null): string[] {
  if (channels === null) return []
  const words = new Set([...channels].map((channel) => CHANNELS[channel] ?? 'through selected sales channels'))
  const text = OR.format(words)
  return [text.charAt(0).toUpperCase() + text.slice(1)]
}

/** Nobody signs up twice or has two birthdays in a year, and an order counts once: limits that say so say nothing. */
function isMeant(on: string, { times, every }: Limit): boolean {
  if (on === 'order') return every === 'order'
  return times === 1 && ((on === 'signup' && every === 'ever') || (on === 'birthday' && every === 'year'))
}

function describeLimit({ times, every }: Limit): string {
  const often = times === 1 ? 'Once' : times === 2 ? 'At most twice' : `At most ${times} times`
  if (every === 'ever') return times === 1 ? 'Only once' : `${often} in all`
  return `${often} ${{ day: 'a day', year: 'a year', order: 'per order' }[every]}`
}

function describeThreshold(program: Program, tiers: Tiers, level: Level): string {
  if (level.threshold === 0) return 'From the start'
  if (tiers.metric === 'spend')
    return `From ${showMoney(program, formatMoney(level.threshold, program.currency))} spent`
  if (tiers.metric === 'orders') return `From ${level.threshold} orders`
  return `From ${level.threshold} ${program.document.pointsName.other}`
}

function describePerks(level: Level): string[] {
  return [
    ...(level.multiplier > MULTIPLIER_ONE ? [`${trimZeros(formatDecimal(level.multiplier, 4))}× points`] : []),
    ...(level.discountBasisPoints > 0 ? [`${trimZeros(formatDecimal(level.discountBasisPoints, 2))}% off`] : []),
    ...(level.freeShipping ? ['Free shipping'] : []),
    ...level.perks,
  ]
}

/** The gids of the products that a program's rewards give, whose titles its card needs. */
export function listFreeProducts(program: Program): string[] {
  return [
    ...new Set(
      program.rewards.filter(({ type }) => type === 'product').flatMap(({ products }) => [...(products ?? [])]),
    ),
  ]
}

function describeReward(program: Program, reward: Reward, titles: ProductTitles): CardReward {
  const { variable } = reward
  return {
    id: reward.id,
    type: reward.type,
    label: nameFreeProduct(reward, titles) ?? rewardLabel(program, reward, fixedValue(program, reward)),
    cost: reward.cost ?? variable?.minimumPoints ?? 1,
    ...(variable
      ? {
          variable: {
            perPoints: variable.perPoints,
            value: formatMoney(reward.valueMinor, program.currency),
            step: variable.step,
            // The fewest points that are a whole number of steps.
            minimum: Math.ceil(variable.minimumPoints / variable.step) * variable.step,
          },
        }
      : {}),
    conditions: describeConditions(program, reward),
    ...(reward.tiers ? { tiers: [...reward.tiers] } : {}),
  }
}

/** "Free: House Blend", "Free: Mug, Cup or one of 4 others"; null where the reward is no product, or no title is known. */
function nameFreeProduct({ type, products, collections }: Reward, titles: ProductTitles): string | null {
  if (type !== 'product' || products === null || collections !== null) return null
  const known = [...products].flatMap((product) => titles[product] ?? []).slice(0, TITLES_MAX)
  if (known.length === 0) return null
  const others = products.size - known.length
  const rest = others === 0 ? [] : [others === 1 ? 'another' : `one of ${others} others`]
  return `Free: ${OR.format([...known.map(shorten), ...rest])}`
}

function shorten(title: string): string {
  const characters = [...title]
  return characters.length <= TITLE_CHARACTERS_MAX
    ? title
    : `${characters
        .slice(0, TITLE_CHARACTERS_MAX - 1)
        .join('')
        .trimEnd()}…`
}

function describeConditions(program: Program, reward: Reward): string[] {
  const share = reward.maximumShareBasisPoints
  return [
    ...describeMinimum(program, reward.minimumSubtotal),
    ...(share === null ? [] : [`For at most ${trimZeros(formatDecimal(share, 2))}% of an order`]),
    ...(reward.type !== 'product' && (reward.products || reward.collections) ? ['On selected products'] : []),
    ...describeTiers(program, reward.tiers),
    ...(reward.validDays === null ? [] : [`Valid for ${reward.validDays} days`]),
  ]
}

function describeMinimum(program: Program, minimumMinor: number | null): string[] {
  if (minimumMinor === null) return []
  return [`On orders from ${showMoney(program, formatMoney(minimumMinor, program.currency))}`]
}

function describeTiers(program: Program, tiers: ReadonlySet<string> | null): string[] {
  const names = program.tiers?.levels.filter(({ id }) => tiers?.has(id)).map(({ name }) => name) ?? []
  return names.length > 0 ? [`For ${names.join(', ')}`] : []
}

/** "1.2500" is "1.25", "2.0000" is "2". */
function trimZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}
