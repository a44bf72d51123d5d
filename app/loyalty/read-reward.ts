import { parseDecimal } from './money.ts'
import { describeValue } from './problems.ts'
import { toSet, type Check, type Path } from './program-check.ts'
import { COMBINES_WITH_NOTHING, type RewardDocument } from './program-document.ts'
import type { Reward, RewardType } from './program.ts'
import { HUNDRED_PERCENT, toBasisPoints } from './ratios.ts'

/** Types whose value is an amount of money; only these can be variable. */
const MONEY_REWARDS: ReadonlySet<RewardType> = new Set<RewardType>(['amount', 'store-credit', 'gift-card'])

/** Reads one entry of `rewards`; what does not fit its type is added to the check. */
export function readReward(reward: RewardDocument, path: Path, check: Check): Reward {
  checkRewardShape(reward, path, check)
  const isMoney = MONEY_REWARDS.has(reward.type)
  const step = reward.step ?? reward.perPoints ?? 1
  return {
    id: reward.id,
    type: reward.type,
    cost: reward.perPoints === undefined ? (reward.cost ?? 1) : null,
    variable:
      reward.perPoints === undefined
        ? null
        : { perPoints: reward.perPoints, step, minimumPoints: Math.max(reward.minimumPoints ?? 0, step) },
    valueMinor: isMoney && typeof reward.value === 'string' ? check.money(reward.value, [...path, 'value'], 1) : 0,
    valueBasisPoints: reward.type === 'percentage' ? readPercentage(reward.value, [...path, 'value'], check) : 0,
    maximumShareBasisPoints: reward.maximumShare === undefined ? null : toBasisPoints(reward.maximumShare),
    minimumSubtotal: check.optionalMoney(reward.minimumSubtotal, [...path, 'minimumSubtotal']),
    products: toSet(reward.products),
    collections: toSet(reward.collections),
    tiers: check.tiers(reward.tiers, [...path, 'tiers']),
    limitPerMember: reward.limitPerMember ?? null,
    validDays: reward.validDays ?? null,
    combinesWith: reward.combinesWith ?? COMBINES_WITH_NOTHING,
  }
}

/** Types that take a known amount of money off an order, which can be too large a share of it. */
export const SHARED_REWARDS: ReadonlySet<RewardType> = new Set<RewardType>(['amount', 'product'])

function checkRewardShape(reward: RewardDocument, path: Path, check: Check): void {
  const { type, value } = reward
  const isMoney = MONEY_REWARDS.has(type)
  if (isMoney && typeof value === 'number')
    check.add([...path, 'value'], `must be money as text in quotes, not ${value}`)
  if (value === undefined && (isMoney || type === 'percentage')) check.add([...path, 'value'], 'is missing')
  if (value !== undefined && (type === 'shipping' || type === 'product')) {
    check.add([...path, 'value'], `has no meaning for a reward of type ${type}`)
  }
  if (type === 'product' && !reward.products) check.add([...path, 'products'], 'is missing: which products are free')
  if (reward.perPoints === undefined) {
    if (reward.cost === undefined)
      check.add([...path, 'cost'], 'is missing: a fixed reward has a cost, a variable one perPoints')
    for (const field of ['step', 'minimumPoints'] as const) {
      if (reward[field] !== undefined) check.add([...path, field], 'is for a variable reward, one with perPoints')
    }
    return
  }
  if (reward.cost !== undefined)
    check.add([...path, 'cost'], 'cannot stand beside perPoints: a reward is fixed or variable')
  if (!isMoney)
    check.add(
      [...path, 'perPoints'],
      `a reward of type ${type} cannot be variable: only ${[...MONEY_REWARDS].join(', ')} can`,
    )
}

function readPercentage(value: string | number | undefined, path: Path, check: Check): number {
  if (value === undefined) return 0
  const basisPoints = typeof value === 'number' ? parseDecimal(String(value), 2) : null
  if (basisPoints !== null && basisPoints > 0 && basisPoints <= HUNDRED_PERCENT) return basisPoints
  check.add(path, `must be a percentage above 0 and up to 100, with at most 2 decimals, not ${describeValue(value)}`)
  return 0
}
