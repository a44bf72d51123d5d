/**
 * The words of this room. An *order log* is all that the measures need of a shop: who ordered, when, for how much; one entry an
 * order that counts (paid, not cancelled, not fully refunded). A *customer* here is a place in that log. A *buyer* of a period is
 * a customer with an order in it. *Active* at an instant: with an order in the activity window before it. A *cohort* is the
 * customers whose first orders fell in one month. *T*, or `asOf`, is the instant that everything is measured at; only orders
 * before it exist.
 *
 * A million orders are read in seconds because they lie in flat arrays, each customer's orders side by side in order of time.
 */

/** Orders grouped by customer: customer c owns the entries `starts[c]` to `starts[c + 1]`, in order of time. */
export type OrderLog = {
  /** The customers' ids, in order of their first appearance in the source. */
  readonly ids: readonly string[]
  readonly starts: Uint32Array
  /** Epoch milliseconds. */
  readonly at: Float64Array
  /** Whole minor units of the one currency. */
  readonly amountMinor: Float64Array
}

/** Takes orders in any order; `finish` may be called once. */
export type OrderLogBuilder = {
  /** Adds an order; amounts are whole minor units, `at` epoch milliseconds. */
  add: (customerId: string, at: number, amountMinor: number) => void
  /** The log of the orders before `asOf`; customers without one are not in it. */
  finish: (asOf: number) => OrderLog
}

/** An empty log that grows by doubling. */
export function buildOrderLog(): OrderLogBuilder {
  const places = new Map<string, number>()
  let customer = new Int32Array(1024)
  let at = new Float64Array(1024)
  let amountMinor = new Float64Array(1024)
  let size = 0
  return {
    add(customerId, orderedAt, amount) {
      if (size === customer.length) {
        customer = grown(customer, new Int32Array(size * 2))
        at = grown(at, new Float64Array(size * 2))
        amountMinor = grown(amountMinor, new Float64Array(size * 2))
      }
      let place = places.get(customerId)
      if (place === undefined) places.set(customerId, (place = places.size))
      customer[size] = place
      at[size] = orderedAt
      amountMinor[size] = amount
      size++
    },
    finish: (asOf) => group([...places.keys()], customer, at, amountMinor, size, asOf),
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Counting sort by customer, then each customer's few orders by time. */
function group(
  known: string[],
  customer: Int32Array,
  at: Float64Array,
  amountMinor: Float64Array,
  size: number,
  asOf: number,
): OrderLog {
  const counts = new Uint32Array(known.length)
  for (let order = 0; order < size; order++) if (at[order]! < asOf) counts[customer[order]!]!++
  const ids: string[] = []
  const starts = [0]
  const next = new Uint32Array(known.length)
  counts.forEach((count, place) => {
    if (count === 0) return
    next[place] = starts.at(-1)!
    ids.push(known[place]!)
    starts.push(next[place]! + count)
  })
  const total = starts.at(-1)!
  const log = {
    ids,
    starts: Uint32Array.from(starts),
    at: new Float64Array(total),
    amountMinor: new Float64Array(total),
  }
  for (let order = 0; order < size; order++) {
    if (at[order]! >= asOf) continue
    const place = next[customer[order]!]!++
    log.at[place] = at[order]!
    log.amountMinor[place] = amountMinor[order]!
  }
  for (let place = 0; place < ids.length; place++) sortByTime(log, log.starts[place]!, log.starts[place + 1]!)
  return log
}

function sortByTime(log: { at: Float64Array; amountMinor: Float64Array }, from: number, to: number): void {
  let sorted = true
  for (let order = from + 1; sorted && order < to; order++) sorted = log.at[order - 1]! <= log.at[order]!
  if (sorted) return
  const entries = Array.from({ length: to - from }, (_, index) => index + from)
  entries.sort((a, b) => log.at[a]! - log.at[b]!)
  const at = entries.map((order) => log.at[order]!)
  const amountMinor = entries.map((order) => log.amountMinor[order]!)
  log.at.set(at, from)
  log.amountMinor.set(amountMinor, from)
}
