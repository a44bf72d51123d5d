// Once a day the prediction models are fitted on the shop's orders and tested on its own last months; then they say of each customer how
// likely they are to come back and what they will spend. The ledger's sums by day are brought up to date, and where the shop has moved to
// another time zone, its measures are recounted.
import { now } from '#app/clock.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { loadOrderLog, needsRebuild, rebuildMeasures } from '#app/db/recount-measures.server.ts'
import { foldPointsFlows } from '#app/db/points-flows.server.ts'
import { findPrediction, savePrediction, type ShopPrediction } from '#app/db/predictions.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { currencyExponent } from '#app/loyalty/money.ts'
import { DAY_MS } from '#app/loyalty/time.ts'
import { FEWEST_REPEAT_CUSTOMERS } from '#app/retention/bg-nbd.ts'
import type { OrderLog } from '#app/retention/order-log.ts'
import { backTest, fitPrediction, predictCustomer, readHistories, type Histories } from '#app/retention/prediction.ts'

/** The longest stretch that is held out for the back-test, and the largest part of the shop's history. */
const HOLD_OUT_DAYS = 182
const HOLD_OUT_PART = 3

/** A shop that is younger than this has not seen its customers come back yet, however many they are. */
const HISTORY_DAYS_NEEDED = 90

/** Fits the shop's models where that was last done more than a day ago (business time). Returns whether it did. */
export async function fitPredictions(shop: Shop): Promise<boolean> {
  const at = now()
  if (await needsRebuild(shop.id)) await inTransaction((client) => rebuildMeasures(shop.id, at, client))
  await foldPointsFlows(shop.id, shop.timezone)
  const last = await findPrediction(shop.id)
  if (last && at - last.fittedAt < DAY_MS && at >= last.fittedAt) return false
  const exponent = currencyExponent(shop.currency)
  const log = await loadOrderLog(shop.id)
  const histories = readHistories(log, at, shop.timezone)
  const historyDays = countHistoryDays(log, at)
  const models = historyDays < HISTORY_DAYS_NEEDED ? null : fitPrediction(histories, exponent)
  if (!models) {
    await savePrediction(shop.id, notEnough(histories, historyDays), [], exponent, at)
    return true
  }
  const holdOutDays = Math.min(HOLD_OUT_DAYS, Math.floor(historyDays / HOLD_OUT_PART))
  const tried = backTest(log, at, holdOutDays, shop.timezone)
  const customers = log.ids.map((memberId, place) => ({
    memberId,
    tenth: tried?.tenths[place] || null,
    ...predictCustomer(models, histories, place, exponent),
  }))
  const prediction: ShopPrediction = {
    ok: true,
    ...models,
    backTest: tried && tried.test,
    customers: customers.length,
  }
  await savePrediction(shop.id, prediction, customers, exponent, at)
  return true
}

function notEnough({ repeats }: Histories, historyDays: number): ShopPrediction {
  return {
    ok: false,
    reason: 'not_enough_data',
    repeatCustomers: repeats.filter((count) => count > 0).length,
    repeatCustomersNeeded: FEWEST_REPEAT_CUSTOMERS,
    historyDays,
    historyDaysNeeded: HISTORY_DAYS_NEEDED,
  }
}

function countHistoryDays(log: OrderLog, at: number): number {
  const firstAt = log.at.reduce((first, orderAt) => Math.min(first, orderAt), at)
  return Math.floor((at - firstAt) / DAY_MS)
}
