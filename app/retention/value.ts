/** What a shop's customers are worth in a period, and how many of them come back. */
import { meanMinor, toRate } from './exact.ts'

/** Customers with 2 or more orders ÷ customers with 1 or more; null without customers. */
export function repeatPurchaseRate(repeatCustomers: number, customers: number): number | null {
  return toRate(repeatCustomers, customers)
}

/** Repeat orders in a period ÷ buyers in it; null without buyers. An order is a repeat if its customer had ordered before it. */
export function averageRepeatPurchases(orders: number, newBuyers: number, buyers: number): number | null {
  // Of a period's orders, the first ones of its new buyers are not repeats; all others are.
  return toRate(orders - newBuyers, buyers)
}

/** Revenue of a period ÷ all customers known by its end, in minor units half to even; null without customers. */
export function arpu(revenueMinor: number, customersByEnd: number): number | null {
  return meanMinor(revenueMinor, customersByEnd)
}

/** Revenue of a period ÷ buyers in it, in minor units half to even; null without buyers. */
export function arppu(revenueMinor: number, buyers: number): number | null {
  return meanMinor(revenueMinor, buyers)
}
