import { fixedValue, rewardLabel, showMoney } from './discount-terms.ts'
import type { CardReward, CardTexts, ProgramCard } from './member-card.ts'
import { formatDecimal, formatMoney } from './money.ts'
import { MULTIPLIER_ONE } from './ratios.ts'
import type { EarningRule, Level, Limit, Program, Reward, Tiers } from './program.ts'
import { ENGLISH, fill, OTHER_LANGUAGES, showDecimal, showPercent, type ShopperWords } from './shopper-words.ts'

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
export function buildProgramCard(
  program: Program,
  at: number,
  titles: ProductTitles = {},
  words: ShopperWords = ENGLISH,
): ProgramCard {
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
        label: [describeRule(program, rule, words), ...describeWhen(program, rule, words)].join(' · '),
      })),
    tiers: (program.tiers?.levels ?? []).map((level) => ({
      id: level.id,
      name: level.name,
      from: describeThreshold(program, program.tiers as Tiers, level, words),
      perks: describePerks(program, level, words),
    })),
    rewards: program.rewards.map((reward) => describeReward(program, reward, titles, words)),
  }
}

/** Shopify keeps JSON of up to 128 KB in a metafield (shopify.dev, metafield limits, apps made since April 2026). */
const CARD_BYTES_MAX = 128_000

/**
 * The card as Shopify keeps it for all pages of a storefront: in English, and its texts in every other language. A program so large that
 * they would not fit is told in English alone.
 */
export function buildTranslatedCard(program: Program, at: number, titles: ProductTitles = {}): ProgramCard {
  const textsIn = (words: ShopperWords): CardTexts => {
    const { earning, tiers, rewards } = buildProgramCard(program, at, titles, words)
    return {
      earning: Object.fromEntries(earning.map(({ id, label }) => [id, label])),
      tiers: Object.fromEntries(tiers.map(({ id, from, perks }) => [id, { from, perks }])),
      rewards: Object.fromEntries(rewards.map(({ id, label, conditions }) => [id, { label, conditions }])),
    }
  }
  const languages = Object.entries(OTHER_LANGUAGES).map(([code, words]) => [code, textsIn(words)] as const)
  const card = buildProgramCard(program, at, titles)
  const translated = { ...card, languages: Object.fromEntries(languages) }
  return new TextEncoder().encode(JSON.stringify(translated)).length <= CARD_BYTES_MAX ? translated : card
}

function describeRule(program: Program, rule: EarningRule, words: ShopperWords): string {
  const { one, other } = program.document.pointsName
  const onSelected = (text: string) =>
    rule.when.products || rule.when.collections || rule.when.tags ? fill(words.onSelected, { text }) : text
  if (rule.multiplier !== null) {
    return onSelected(describeMultiplier(program, rule.multiplier, words))
  }
  const points = `${rule.points} ${rule.points === 1 ? one : other}`
  if (rule.on !== 'order') return describeOccasion(rule.on, points, words)
  if (rule.per === 'item') return onSelected(fill(words.perItem, { points }))
  if (rule.per === 'order') return onSelected(fill(words.perOrder, { points }))
  const amount = showMoney(program, formatMoney(rule.perAmount, program.currency), words)
  return onSelected(fill(words.perAmount, { points, amount }))
}

/** 12,500 ten-thousandths are "1.25× points". */
function describeMultiplier(program: Program, multiplier: number, words: ShopperWords): string {
  const times = showDecimal(words, formatDecimal(multiplier, 4))
  return fill(words.times, { times, unit: program.document.pointsName.other })
}

function describeOccasion(on: string, points: string, { occasions, activity }: ShopperWords): string {
  if (Object.hasOwn(occasions, on)) return fill(occasions[on as keyof typeof occasions], { points })
  return fill(activity, { points, activity: on.replace(/^custom:/, '') })
}

/** What must be true besides for the rule to count, in the words of a reward's conditions where both have them. */
function describeWhen(program: Program, { on, when, limit }: EarningRule, words: ShopperWords): string[] {
  return [
    ...describeMinimum(program, when.minimumSubtotal, words),
    ...describeWeekdays(when.weekdays, words),
    ...describeChannels(when.channels, words),
    ...describeTiers(program, when.tiers, words),
    ...(limit === null || isMeant(on, limit) ? [] : [describeLimit(limit, words)]),
  ]
}

function describeWeekdays(weekdays: ReadonlySet<number> | null, words: ShopperWords): string[] {
  if (weekdays === null || weekdays.size === words.weekdays.length) return []
  const days = [...weekdays].sort((a, b) => a - b)
  if (days.join() === '6,7') return [words.onWeekends]
  if (days.join() === '1,2,3,4,5') return [words.onWeekdays]
  const names = days.map((day) => words.weekdays[day - 1] ?? '')
  return [capitalize(fill(words.onDays, { days: listOf(names, 'conjunction', words) }))]
}

function describeChannels(channels: ReadonlySet<string> | null, words: ShopperWords): string[] {
  if (channels === null) return []
  // Sales channels that shoppers know by a name; of the others they read that there are some.
  const known: Readonly<Record<string, string>> = words.channels
  const names = new Set([...channels].map((channel) => known[channel] ?? words.otherChannels))
  return [capitalize(listOf([...names], 'disjunction', words))]
}

/** Nobody signs up twice or has two birthdays in a year, and an order counts once: limits that say so say nothing. */
function isMeant(on: string, { times, every }: Limit): boolean {
  if (on === 'order') return every === 'order'
  return times === 1 && ((on === 'signup' && every === 'ever') || (on === 'birthday' && every === 'year'))
}

function describeLimit({ times, every }: Limit, { once, twice, often }: ShopperWords): string {
  if (times === 1) return once[every]
  return times === 2 ? twice[every] : fill(often[every], { times })
}

function describeThreshold(program: Program, tiers: Tiers, { threshold }: Level, words: ShopperWords): string {
  if (threshold === 0) return words.fromStart
  if (tiers.metric === 'spend') {
    return fill(words.fromSpent, { amount: showMoney(program, formatMoney(threshold, program.currency), words) })
  }
  if (tiers.metric === 'points') {
    return fill(words.fromPoints, { points: threshold, unit: program.document.pointsName.other })
  }
  return threshold === 1 ? words.fromFirstOrder : fill(words.fromOrders, { orders: threshold })
}

function describePerks(program: Program, level: Level, words: ShopperWords): string[] {
  const { multiplier, discountBasisPoints } = level
  return [
    ...(multiplier > MULTIPLIER_ONE ? [describeMultiplier(program, multiplier, words)] : []),
    ...(discountBasisPoints > 0 ? [fill(words.percentOff, { percent: showShare(discountBasisPoints, words) })] : []),
    ...(level.freeShipping ? [words.freeShipping] : []),
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

function describeReward(program: Program, reward: Reward, titles: ProductTitles, words: ShopperWords): CardReward {
  const { variable } = reward
  return {
    id: reward.id,
    type: reward.type,
    label: nameFreeProduct(reward, titles, words) ?? rewardLabel(program, reward, fixedValue(program, reward), words),
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
    conditions: describeConditions(program, reward, words),
    ...(reward.tiers ? { tiers: [...reward.tiers] } : {}),
  }
}

/** "Free: House Blend", "Free: Mug, Cup or one of 4 others"; null where the reward is no product, or no title is known. */
function nameFreeProduct(
  { type, products, collections }: Reward,
  titles: ProductTitles,
  words: ShopperWords,
): string | null {
  if (type !== 'product' || products === null || collections !== null) return null
  const known = [...products].flatMap((product) => titles[product] ?? []).slice(0, TITLES_MAX)
  if (known.length === 0) return null
  const count = products.size - known.length
  const rest = count === 0 ? [] : [count === 1 ? words.another : fill(words.oneOfOthers, { count })]
  return fill(words.freeNamed, { products: listOf([...known.map(shorten), ...rest], 'disjunction', words) })
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

function describeConditions(program: Program, reward: Reward, words: ShopperWords): string[] {
  const { maximumShareBasisPoints: share, validDays: days } = reward
  return [
    ...describeMinimum(program, reward.minimumSubtotal, words),
    ...(share === null ? [] : [fill(words.shareOfOrder, { percent: showShare(share, words) })]),
    ...(reward.type !== 'product' && (reward.products || reward.collections) ? [words.onSelectedOnly] : []),
    ...describeTiers(program, reward.tiers, words),
    ...(days === null ? [] : [days === 1 ? words.validDay : fill(words.validDays, { days })]),
  ]
}

function describeMinimum(program: Program, minimumMinor: number | null, words: ShopperWords): string[] {
  if (minimumMinor === null) return []
  const amount = showMoney(program, formatMoney(minimumMinor, program.currency), words)
  return [fill(words.onOrdersFrom, { amount })]
}

function describeTiers(program: Program, tiers: ReadonlySet<string> | null, words: ShopperWords): string[] {
  const names = program.tiers?.levels.filter(({ id }) => tiers?.has(id)).map(({ name }) => name) ?? []
  return names.length > 0 ? [fill(words.forTiers, { tiers: names.join(', ') })] : []
}

const listOf = (names: readonly string[], type: 'conjunction' | 'disjunction', { listLocale }: ShopperWords) =>
  new Intl.ListFormat(listLocale, { type }).format(names)

const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** 1,250 basis points are "12.5%". */
const showShare = (basisPoints: number, words: ShopperWords) => showPercent(words, formatDecimal(basisPoints, 2))
