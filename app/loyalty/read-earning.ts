import { ORDER, type EarningDocument } from './program-document.ts'
import { toSet, type Check, type Path } from './program-check.ts'
import type { Conditions, EarningRule } from './program.ts'
import { toMultiplier } from './ratios.ts'

/** Conditions that only an order can answer. */
const ORDER_CONDITIONS = ['products', 'collections', 'tags', 'channels', 'minimumSubtotal'] as const

/** Reads one entry of `earning`; what does not fit together is added to the check. */
export function readEarning(rule: EarningDocument, path: Path, check: Check): EarningRule {
  const when = readConditions(rule.when, [...path, 'when'], check)
  const { fromAt, untilAt } = check.window(rule, path)
  const shape = rule.on === ORDER ? readOrderShape(rule, path, check) : readEventShape(rule, path, check)
  return { id: rule.id, on: rule.on, ...shape, when, fromAt, untilAt, limit: rule.limit ?? null }
}

type EarningShape = Pick<EarningRule, 'points' | 'per' | 'perAmount' | 'multiplier'>

function readOrderShape(rule: EarningDocument, path: Path, check: Check): EarningShape {
  if (rule.multiplier !== undefined) {
    if (rule.points !== undefined)
      check.add([...path, 'points'], 'cannot stand beside multiplier: a rule gives points or multiplies them')
    if (rule.per !== undefined) check.add([...path, 'per'], 'cannot stand beside multiplier')
    return { points: 0, per: null, perAmount: 0, multiplier: toMultiplier(rule.multiplier) }
  }
  const points = rule.points ?? 0
  if (rule.points === undefined)
    check.add([...path, 'points'], 'is missing: a rule for orders has points and per, or a multiplier')
  if (rule.per === 'order' || rule.per === 'item') return { points, per: rule.per, perAmount: 0, multiplier: null }
  if (rule.per === undefined) {
    if (rule.points !== undefined)
      check.add([...path, 'per'], 'is missing: an amount of money like "1.00", "order" or "item"')
    return { points, per: 'order', perAmount: 0, multiplier: null }
  }
  return { points, per: 'money', perAmount: check.money(rule.per, [...path, 'per'], 1), multiplier: null }
}

function readEventShape(rule: EarningDocument, path: Path, check: Check): EarningShape {
  if (rule.points === undefined) check.add([...path, 'points'], 'is missing')
  if (rule.per !== undefined) check.add([...path, 'per'], `has no meaning for ${rule.on}: it is for orders`)
  if (rule.multiplier !== undefined)
    check.add([...path, 'multiplier'], `has no meaning for ${rule.on}: it is for orders`)
  for (const condition of ORDER_CONDITIONS) {
    if (rule.when?.[condition] === undefined) continue
    check.add([...path, 'when', condition], `has no meaning for ${rule.on}: it is for orders`)
  }
  return { points: rule.points ?? 0, per: null, perAmount: 0, multiplier: null }
}

function readConditions(when: EarningDocument['when'], path: Path, check: Check): Conditions {
  return {
    products: toSet(when?.products),
    collections: toSet(when?.collections),
    tags: toSet(when?.tags),
    channels: toSet(when?.channels),
    tiers: check.tiers(when?.tiers, [...path, 'tiers']),
    weekdays: when?.weekdays ? new Set(when.weekdays) : null,
    minimumSubtotal: check.optionalMoney(when?.minimumSubtotal, [...path, 'minimumSubtotal']),
  }
}
