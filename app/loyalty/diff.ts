/** What changed between two versions of a program, in sentences a merchant can read before publishing. */
import type {
  CampaignDocument,
  EarningDocument,
  ProgramDocument,
  RewardDocument,
  TiersDocument,
} from './program-document.ts'

/** One thing that is said of an entry: "needs" 600.00. `value` is null where there is nothing to say. */
type Saying<T> = readonly [verb: string, plainVerb: string, value: (entry: T) => string | null]

/**
 * The differences in words, in the order of the document; empty where nothing changed. `diff(before, after)` →
 * `["Gold now needs 600.00 instead of 500.00"]`.
 */
export function diff(before: ProgramDocument, after: ProgramDocument): string[] {
  return [
    ...compare('The program', before, after, PROGRAM),
    ...compareEntries(before.earning, after.earning, { noun: 'rule', name: (rule) => rule.id, sayings: EARNING }),
    ...diffTiers(before.tiers, after.tiers),
    ...compareEntries(before.rewards, after.rewards, { noun: 'reward', name: (reward) => reward.id, sayings: REWARD }),
    ...compareEntries(before.campaigns, after.campaigns, {
      noun: 'campaign',
      name: (campaign) => campaign.name,
      sayings: CAMPAIGN,
    }),
  ]
}

/**
 * What a program begins with, in the same words: every rule, tier, reward and campaign. `describeBeginning(document)` →
 * `["The rule purchase is new: it is for orders, gives 5 points per 1.00", …]`.
 */
export function describeBeginning(document: ProgramDocument): string[] {
  return diff({ ...document, earning: [], tiers: undefined, rewards: [], campaigns: [] }, document)
}

const PROGRAM: readonly Saying<ProgramDocument>[] = [
  ['is called', 'be called', (program) => quote(program.name)],
  ['calls one point', 'call one point', (program) => quote(program.pointsName.one)],
  ['calls several points', 'call several points', (program) => quote(program.pointsName.other)],
  ['counts in', 'count in', (program) => program.currency],
  ['keeps the time of', 'keep the time of', (program) => program.timezone],
  ['enrols', 'enrol', (program) => ENROLMENTS[program.enrolment]],
  ['counts', 'count', (program) => (program.basis.tax ? 'money with tax' : 'money without tax')],
  ['counts', 'count', (program) => (program.basis.shipping ? 'shipping too' : 'no shipping')],
  ['counts', 'count', (program) => (program.basis.saleItems ? 'sale items too' : 'no sale items')],
  ['leaves out the products', 'leave out the products', (program) => list(program.basis.exclude.products)],
  ['leaves out the collections', 'leave out the collections', (program) => list(program.basis.exclude.collections)],
  ['leaves out products tagged', 'leave out products tagged', (program) => list(program.basis.exclude.tags)],
  ['leaves out the channels', 'leave out the channels', (program) => list(program.basis.exclude.channels)],
  ['rounds points', 'round points', (program) => ROUNDINGS[program.rounding]],
  ['holds order points for', 'hold order points for', (program) => plural(program.hold.days, 'day')],
  ['lets points expire', 'let points expire', (program) => describeExpiry(program.expiry)],
  [
    'lets a balance',
    'let a balance',
    (program) => (program.negativeBalance === 'allow' ? 'go below zero' : 'stop at zero'),
  ],
  [
    'takes',
    'take',
    (program) => (program.stacking === 'multiply' ? 'all multipliers together' : 'only the highest multiplier'),
  ],
]

const ENROLMENTS = {
  everyone: 'every customer',
  accounts: 'customers with an account',
  'opt-in': 'customers who ask to join',
}
const ROUNDINGS = { floor: 'down', 'half-up': 'to the nearest', ceil: 'up' }

const EARNING: readonly Saying<EarningDocument>[] = [
  ['is for', 'be for', (rule) => OCCASIONS[rule.on] ?? rule.on.replace(/^custom:/, '')],
  ['gives', 'give', (rule) => describeRate(rule)],
  ['multiplies points by', 'multiply points by', (rule) => number(rule.multiplier)],
  ['is limited to products', 'be limited to products', (rule) => list(rule.when?.products)],
  ['is limited to collections', 'be limited to collections', (rule) => list(rule.when?.collections)],
  ['is limited to products tagged', 'be limited to products tagged', (rule) => list(rule.when?.tags)],
  ['is limited to channels', 'be limited to channels', (rule) => list(rule.when?.channels)],
  ['is limited to levels', 'be limited to levels', (rule) => list(rule.when?.tiers)],
  ['needs an order of', 'need an order of', (rule) => rule.when?.minimumSubtotal ?? null],
  ['is limited to', 'be limited to', (rule) => rule.when?.weekdays?.map((day) => WEEKDAYS[day - 1]).join(', ') ?? null],
  ['begins', 'begin', (rule) => describeLocal(rule.from)],
  ['ends', 'end', (rule) => describeLocal(rule.until)],
  ['counts', 'count', (rule) => (rule.limit ? describeLimit(rule.limit) : null)],
]

const OCCASIONS: Record<string, string> = {
  order: 'orders',
  signup: 'signing up',
  birthday: 'birthdays',
  review: 'reviews',
  profile: 'complete profiles',
  referral: 'bringing friends',
}

const WEEKDAYS = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays']

const TIERS: readonly Saying<TiersDocument>[] = [
  ['count', 'count', (tiers) => ({ points: 'points earned', spend: 'money spent', orders: 'orders' })[tiers.metric]],
  ['look at', 'look at', (tiers) => describeWindow(tiers.window)],
  ['wait before moving a member down for', 'wait', (tiers) => plural(tiers.graceDays, 'day')],
  ['give', 'give', (tiers) => (tiers.entryRewards === 'all' ? 'all entry rewards' : 'the highest entry reward')],
]

type LevelDocument = TiersDocument['levels'][number]

const LEVEL: readonly Saying<LevelDocument>[] = [
  ['is called', 'be called', (level) => quote(level.name)],
  ['needs', 'need', (level) => String(level.threshold)],
  ['multiplies points by', 'multiply points by', (level) => number(level.multiplier)],
  [
    'gives on entry',
    'give on entry',
    (level) => (level.entryReward === undefined ? null : plural(level.entryReward, 'point')),
  ],
  ['gives a discount of', 'give a discount of', (level) => percent(level.discountPercent)],
  ['gives', 'give', (level) => (level.freeShipping ? 'free shipping' : null)],
  ['promises', 'promise', (level) => list(level.perks)],
]

const REWARD_TYPES: Record<RewardDocument['type'], string> = {
  amount: 'money off',
  percentage: 'a percentage off',
  shipping: 'free shipping',
  product: 'a free product',
  'store-credit': 'store credit',
  'gift-card': 'a gift card',
}

const REWARD: readonly Saying<RewardDocument>[] = [
  ['gives', 'give', (reward) => REWARD_TYPES[reward.type]],
  ['costs', 'cost', (reward) => (reward.cost === undefined ? null : plural(reward.cost, 'point'))],
  ['is worth', 'be worth', (reward) => describeValue(reward)],
  [
    'is taken in steps of',
    'be taken in steps of',
    (reward) => (reward.step === undefined ? null : plural(reward.step, 'point')),
  ],
  [
    'needs at least',
    'need at least',
    (reward) => (reward.minimumPoints === undefined ? null : plural(reward.minimumPoints, 'point')),
  ],
  [
    'pays at most',
    'pay at most',
    (reward) => (reward.maximumShare === undefined ? null : `${percent(reward.maximumShare)} of an order`),
  ],
  ['needs an order of', 'need an order of', (reward) => reward.minimumSubtotal ?? null],
  ['is for products', 'be for products', (reward) => list(reward.products)],
  ['is for collections', 'be for collections', (reward) => list(reward.collections)],
  ['is for levels', 'be for levels', (reward) => list(reward.tiers)],
  [
    'is given',
    'be given',
    (reward) => (reward.limitPerMember === undefined ? null : `${times(reward.limitPerMember)} per member`),
  ],
  [
    'is valid for',
    'be valid for',
    (reward) => (reward.validDays === undefined ? null : plural(reward.validDays, 'day')),
  ],
  ['combines with', 'combine with', (reward) => describeCombination(reward.combinesWith)],
]

const CAMPAIGN: readonly Saying<CampaignDocument>[] = [
  ['is called', 'be called', (campaign) => quote(campaign.name)],
  ['begins', 'begin', (campaign) => describeLocal(campaign.from)],
  ['ends', 'end', (campaign) => describeLocal(campaign.until)],
  ['gives', 'give', (campaign) => describeOffer(campaign.offer)],
  ['is for levels', 'be for levels', (campaign) => list(campaign.audience?.tiers)],
  ['is for segments', 'be for segments', (campaign) => list(campaign.audience?.segments)],
  ['is for products', 'be for products', (campaign) => list(campaign.products)],
  ['is for collections', 'be for collections', (campaign) => list(campaign.collections)],
  ['needs an order of', 'need an order of', (campaign) => campaign.minimumSubtotal ?? null],
  ['covers', 'cover', (campaign) => (campaign.saleItems === false ? 'no sale items' : 'sale items too')],
  ['spends at most', 'spend at most', (campaign) => campaign.budget ?? null],
  [
    'holds out',
    'hold out',
    (campaign) =>
      campaign.holdOut === undefined
        ? null
        : `${percent(Number((campaign.holdOut * 100).toFixed(4)))} of its customers`,
  ],
  ['combines with', 'combine with', (campaign) => describeCombination(campaign.combinesWith)],
]

function diffTiers(before: TiersDocument | undefined, after: TiersDocument | undefined): string[] {
  if (!before && !after) return []
  if (!after) return ['There are no tiers any more']
  const rules = before
    ? compare('The tiers', before, after, TIERS)
    : [`There are tiers now: they ${describeEntry(after, TIERS)}`]
  const levels = { noun: 'level', name: (level: LevelDocument) => level.name, sayings: LEVEL }
  return [...rules, ...compareEntries(before?.levels ?? [], after.levels, levels)]
}

type Kind<T> = { noun: string; name: (entry: T) => string; sayings: readonly Saying<T>[] }

/** New, removed and changed entries; which is which, the ids say. */
function compareEntries<T extends { id: string }>(before: readonly T[], after: readonly T[], kind: Kind<T>): string[] {
  const { noun, name, sayings } = kind
  const old = new Map(before.map((entry) => [entry.id, entry]))
  const kept = new Set(after.map((entry) => entry.id))
  const sentences = before
    .filter((entry) => !kept.has(entry.id))
    .map((entry) => `The ${noun} ${name(entry)} is removed`)
  for (const entry of after) {
    const previous = old.get(entry.id)
    if (previous) sentences.push(...compare(name(previous), previous, entry, sayings))
    else sentences.push(describeNew(entry, kind))
  }
  const orderOf = (entries: readonly T[], other: ReadonlySet<string>) =>
    entries
      .filter((entry) => other.has(entry.id))
      .map((entry) => entry.id)
      .join('\n')
  if (orderOf(before, kept) !== orderOf(after, new Set(old.keys())))
    sentences.push(`The ${noun}s stand in another order`)
  return sentences
}

function describeNew<T>(entry: T, { noun, name, sayings }: Kind<T>): string {
  return `The ${noun} ${name(entry)} is new: it ${describeEntry(entry, sayings)}`
}

function describeEntry<T>(entry: T, sayings: readonly Saying<T>[]): string {
  return sayings
    .filter(([verb]) => verb !== 'is called')
    .flatMap(([verb, , value]) => {
      const words = value(entry)
      return words === null ? [] : [`${verb} ${words}`]
    })
    .join(', ')
}

function compare<T>(subject: string, before: T, after: T, sayings: readonly Saying<T>[]): string[] {
  return sayings.flatMap(([verb, plainVerb, value]) => {
    const [old, now] = [value(before), value(after)]
    if (old === now) return []
    if (now === null) return [`${subject} will no longer ${plainVerb} ${old}`]
    const verbNow = verb.startsWith('is ') ? `is now ${verb.slice(3)}` : `now ${verb}`
    return [`${subject} ${verbNow} ${now}${old === null ? '' : ` instead of ${old}`}`]
  })
}

function describeRate(rule: EarningDocument): string | null {
  if (rule.points === undefined) return null
  const points = plural(rule.points, 'point')
  if (rule.per === undefined) return points
  return rule.per === 'order' || rule.per === 'item' ? `${points} an ${rule.per}` : `${points} per ${rule.per}`
}

function describeExpiry(expiry: ProgramDocument['expiry']): string {
  if (expiry.model === 'none') return 'never'
  const months = plural(expiry.months ?? 0, 'month')
  return expiry.model === 'lot' ? `${months} after they were earned` : `${months} after the last earning`
}

function describeLimit(limit: NonNullable<EarningDocument['limit']>): string {
  const EVERY = { ever: 'in all', day: 'a day', year: 'a year', order: 'an order' }
  return `${times(limit.times)} ${EVERY[limit.every]}`
}

function describeWindow(window: TiersDocument['window']): string {
  if (window === 'lifetime') return 'all time'
  return window === 'calendar-year' ? 'the calendar year' : `the last ${plural(window.rollingDays, 'day')}`
}

function describeValue(reward: RewardDocument): string | null {
  if (reward.value === undefined) return null
  const value = reward.type === 'percentage' ? `${reward.value}%` : String(reward.value)
  return reward.perPoints === undefined ? value : `${value} for ${plural(reward.perPoints, 'point')}`
}

function describeOffer(offer: CampaignDocument['offer']): string {
  if (offer.percentage !== undefined) return `${percent(offer.percentage)} off`
  if (offer.amount !== undefined) return `${offer.amount} off`
  if (offer.pointsMultiplier !== undefined) return `${offer.pointsMultiplier} times the points`
  if (offer.bands) return offer.bands.map((band) => `${percent(band.percentage)} off from ${band.from}`).join(', ')
  return 'free shipping'
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** "2026-04-13T09:00" as people write it: "13 Apr 2026, 09:00". */
function describeLocal(text: string | undefined): string | null {
  if (text === undefined) return null
  const [date = '', time = ''] = text.split('T')
  const [year, month, day] = date.split('-').map(Number)
  return `${day} ${MONTHS[Number(month) - 1]} ${year}, ${time}`
}

function describeCombination(
  combines: { order: boolean; product: boolean; shipping: boolean } | undefined,
): string | null {
  const kinds = (['order', 'product', 'shipping'] as const).filter((kind) => combines?.[kind])
  return kinds.length === 0 ? null : `${kinds.join(', ')} discounts`
}

function list(entries: readonly string[] | undefined): string | null {
  return entries === undefined || entries.length === 0 ? null : entries.join(', ')
}

function number(value: number | undefined): string | null {
  return value === undefined ? null : String(value)
}

function percent(value: number | undefined): string | null {
  return value === undefined ? null : `${value}%`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
}

function quote(name: string): string {
  return `“${name}”`
}
