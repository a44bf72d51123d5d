import { describeValue } from './problems.ts'
import type { Check, Path } from './program-check.ts'
import type { TiersDocument } from './program-document.ts'
import type { Tiers, TierWindow } from './program.ts'
import { MULTIPLIER_ONE, toBasisPoints, toMultiplier } from './ratios.ts'

/** Reads the tiers; levels that do not ascend from 0 are added to the check. */
export function readTiers(tiers: TiersDocument, check: Check): Tiers {
  check.unique(tiers.levels, ['tiers', 'levels'])
  const levels = tiers.levels.map((level, index) => {
    const path: Path = ['tiers', 'levels', index, 'threshold']
    return {
      id: level.id,
      name: level.name,
      threshold: readThreshold(level.threshold, tiers.metric, path, check),
      multiplier: level.multiplier === undefined ? MULTIPLIER_ONE : toMultiplier(level.multiplier),
      entryReward: level.entryReward ?? 0,
      discountBasisPoints: toBasisPoints(level.discountPercent ?? 0),
      freeShipping: level.freeShipping ?? false,
      perks: level.perks ?? [],
    }
  })
  levels.forEach((level, index) => {
    const path: Path = ['tiers', 'levels', index, 'threshold']
    const shown = describeValue(tiers.levels[index]?.threshold)
    const previous = levels[index - 1]
    if (!previous) {
      if (level.threshold > 0) check.add(path, `must be 0, not ${shown}: every member starts on the first level`)
    } else if (level.threshold <= previous.threshold) {
      check.add(
        path,
        `must be above that of ${previous.name} (${describeValue(tiers.levels[index - 1]?.threshold)}), not ${shown}`,
      )
    }
  })
  return { ...tiers, window: readTierWindow(tiers.window), levels }
}

/** NaN where it cannot be read: that compares with nothing, so one mistake gives one problem. */
function readThreshold(value: string | number, metric: Tiers['metric'], path: Path, check: Check): number {
  if (metric === 'spend') {
    if (typeof value === 'string') return check.money(value, path)
    check.add(path, `must be money as text in quotes, as the tiers count money spent, not ${value}`)
    return NaN
  }
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  check.add(path, `must be a whole number of ${metric}, not ${describeValue(value)}`)
  return NaN
}

function readTierWindow(window: TiersDocument['window']): TierWindow {
  return typeof window === 'string' ? { kind: window } : { kind: 'rolling', days: window.rollingDays }
}
