/** What a form begins with when something is added to the program: sensible, complete, and meant to be changed. */
import { currencyExponent, formatDecimal } from '#app/loyalty/money.ts'
import type { CampaignDocument, ProgramDocument, RewardDocument, TiersDocument } from '#app/loyalty/program-document.ts'
import type { RewardType } from '#app/loyalty/program.ts'

/** Five of a currency with cents, five hundred of one without. */
function everyday(document: Pick<ProgramDocument, 'currency'>, units: number): string {
  const exponent = currencyExponent(document.currency)
  return exponent === 0 ? String(units * 100) : formatDecimal(units * 10 ** exponent, exponent)
}

/** The money that a rule for orders counts by, where it gives points for money spent. */
export function proposePer(document: ProgramDocument): string {
  return everyday(document, 1)
}

/** Money off, for as many points as a hundred of money spent earns in most programs. */
export function proposeReward(document: ProgramDocument): RewardDocument {
  return {
    id: freeId('money-off', document.rewards),
    type: 'amount',
    value: everyday(document, 5),
    cost: 500,
    validDays: 90,
  }
}

/**
 * The same reward as another type: what both have stays, what the new type cannot have goes, what it needs comes. A variable
 * reward stays variable only where the new type is money too.
 */
export function changeRewardType(reward: RewardDocument, type: RewardType, document: ProgramDocument): RewardDocument {
  const { value, perPoints, step, minimumPoints, maximumShare, products, collections, ...rest } = reward
  const money = isMoneyReward(type)
  const kept = money && isMoneyReward(reward.type) ? { value, perPoints, step, minimumPoints } : {}
  const cost = money && perPoints !== undefined && kept.perPoints !== undefined ? undefined : (reward.cost ?? 500)
  return {
    ...rest,
    ...kept,
    ...(money && kept.value === undefined ? { value: everyday(document, 5) } : {}),
    ...(type === 'percentage' ? { value: 10 } : {}),
    ...(type === 'product' || type === 'percentage' || type === 'amount' ? { products } : {}),
    ...(type === 'percentage' || type === 'amount' ? { collections } : {}),
    ...(type === 'amount' || type === 'product' ? { maximumShare } : {}),
    type,
    cost,
  }
}

/** Types whose value is money: only these can be taken in any amount. */
export function isMoneyReward(type: RewardType): boolean {
  return type === 'amount' || type === 'store-credit' || type === 'gift-card'
}

/** Two levels above the first, by money spent in a year. */
export function proposeTiers(document: Pick<ProgramDocument, 'currency'>): TiersDocument {
  return {
    metric: 'spend',
    window: { rollingDays: 365 },
    graceDays: 30,
    entryRewards: 'highest',
    levels: [
      { id: 'member', name: 'Member', threshold: everyday(document, 0) },
      { id: 'silver', name: 'Silver', threshold: everyday(document, 200), multiplier: 1.25 },
      { id: 'gold', name: 'Gold', threshold: everyday(document, 500), multiplier: 1.5, freeShipping: true },
    ],
  }
}

/** Ten per cent off for three days; `from` and `until` are local date-times of the shop, "2026-05-02T00:00". */
export function proposeCampaign(document: ProgramDocument, from: string, until: string): CampaignDocument {
  return { id: freeId('campaign', document.campaigns), name: '', from, until, offer: { percentage: 10 } }
}

/** An id that no entry of the list has: the wanted one, else with a number behind it. */
export function freeId(wanted: string, entries: readonly { id: string }[]): string {
  const taken = new Set(entries.map((entry) => entry.id))
  for (let count = 1; ; count++) {
    const id = count === 1 ? wanted : `${wanted}-${count}`
    if (!taken.has(id)) return id
  }
}

/** What a campaign can give; the fields of `offer` in the document. */
export type OfferKind = 'percentage' | 'amount' | 'bands' | 'shipping' | 'pointsMultiplier'

/** An offer of that kind to begin with. */
export function proposeOffer(kind: OfferKind, document: Pick<ProgramDocument, 'currency'>): CampaignDocument['offer'] {
  switch (kind) {
    case 'percentage':
      return { percentage: 10 }
    case 'amount':
      return { amount: everyday(document, 5) }
    case 'bands':
      return {
        bands: [
          { from: everyday(document, 50), percentage: 5 },
          { from: everyday(document, 100), percentage: 10 },
        ],
      }
    case 'shipping':
      return { shipping: true }
    case 'pointsMultiplier':
      return { pointsMultiplier: 2 }
  }
}
