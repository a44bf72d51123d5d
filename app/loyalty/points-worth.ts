/** What points are worth in money, by the program's own rewards. */
import { parseMoney } from './money.ts'
import type { ProgramDocument } from './program-document.ts'

/** What 100 points buy at most in money off, minor units rounded down; null where no reward is money off. */
export function hundredPointsMinor(document: ProgramDocument, currency: string): number | null {
  const worths = document.rewards.flatMap((reward) => {
    if (reward.type !== 'amount' || typeof reward.value !== 'string') return []
    const points = reward.perPoints ?? reward.cost
    const valueMinor = parseMoney(reward.value, currency)
    return points && valueMinor !== null ? [Math.floor((valueMinor * 100) / points)] : []
  })
  return worths.length === 0 ? null : Math.max(...worths)
}
