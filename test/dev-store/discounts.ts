/**
 * Discounts and their redeem codes. What a discount takes off a cart is worked out by the checkout (storefront/); here
 * is what exists, whether it is alive, and how often each code was used.
 */
import { discountPayload, redeemCodePayload } from './payloads.ts'
import type { CodeJob, Discount, Gid, RedeemCode } from './records.ts'
import { NotInStore, type StoreTables } from './tables.ts'
import type { Emit } from './webhooks.ts'

export type DiscountStatus = 'ACTIVE' | 'EXPIRED' | 'SCHEDULED'

/** Alive at `now`, over, or still to come. */
export function discountStatus(discount: Pick<Discount, 'startsAt' | 'endsAt'>, now: number): DiscountStatus {
  if (discount.endsAt !== null && discount.endsAt <= now) return 'EXPIRED'
  return discount.startsAt > now ? 'SCHEDULED' : 'ACTIVE'
}

/** A discount with the defaults of Shopify's inputs, to be overridden. */
export function draftDiscount(
  store: StoreTables,
  domain: string,
  draft: Pick<Discount, 'kind' | 'title'> & Partial<Discount>,
): Discount {
  const now = store.now()
  return {
    id: store.newId(draft.kind.startsWith('code') ? 'DiscountCodeNode' : 'DiscountAutomaticNode'),
    shop: domain,
    startsAt: now,
    endsAt: null,
    createdAt: now,
    updatedAt: now,
    context: { kind: 'all' },
    combinesWith: { orderDiscounts: false, productDiscounts: false, shippingDiscounts: false },
    classes: [],
    gets: null,
    buys: null,
    usesPerOrderLimit: null,
    minimum: null,
    usageLimit: null,
    appliesOncePerCustomer: false,
    appliesOnOneTimePurchase: true,
    appliesOnSubscription: false,
    recurringCycleLimit: null,
    maximumShippingMinor: null,
    functionHandle: null,
    tags: [],
    ...draft,
  }
}

/** Adds a discount and, for a code discount, its first code. Sends `discounts/create`. */
export function addDiscount(store: StoreTables, emit: Emit, discount: Discount, code?: string): Discount {
  return store.write(() => {
    store.put('discounts', discount.id, discount)
    if (code !== undefined) addCode(store, discount, code)
    emit(
      discount.shop,
      'discounts/create',
      discountPayload(store.shop(discount.shop), discount, discountStatus(discount, store.now())),
    )
    return discount
  })
}

/** Changes a discount. Sends `discounts/update`. */
export function updateDiscount(
  store: StoreTables,
  emit: Emit,
  discount: Discount,
  change: Partial<Discount>,
): Discount {
  return store.write(() => {
    Object.assign(discount, change, { updatedAt: store.now() })
    store.put('discounts', discount.id, discount)
    emit(
      discount.shop,
      'discounts/update',
      discountPayload(store.shop(discount.shop), discount, discountStatus(discount, store.now())),
    )
    return discount
  })
}

/** Deletes a discount with all its codes. Sends `discounts/delete`. */
export function deleteDiscount(store: StoreTables, emit: Emit, discount: Discount): void {
  store.write(() => {
    for (const code of store.codesOf(discount.id)) store.remove('codes', code.id)
    for (const row of store.metafieldsOf(discount.id)) store.remove('metafields', row.id)
    store.remove('discounts', discount.id)
    emit(discount.shop, 'discounts/delete', {
      admin_graphql_api_id: discount.id,
      deleted_at: new Date(store.now()).toISOString(),
    })
  })
}

/** Adds one redeem code; the caller has made sure that it is free (`codeIsTaken`). */
export function addCode(store: StoreTables, discount: Discount, text: string): RedeemCode {
  const code: RedeemCode = {
    id: store.newId('DiscountRedeemCode'),
    shop: discount.shop,
    discountId: discount.id,
    code: text,
    usageCount: 0,
    usedBy: [],
    lastUsedRealAt: null,
    createdAt: store.now(),
  }
  store.put('codes', code.id, code)
  return code
}

/** Whether any discount of the shop already has this code, in whatever case. */
export function codeIsTaken(store: StoreTables, domain: string, text: string): boolean {
  return store.codeByText(domain, text) !== undefined
}

/** Removes redeem codes. Sends `discounts/redeemcode_removed` for each. */
export function removeCodes(store: StoreTables, emit: Emit, discount: Discount, codeIds: Gid[]): void {
  store.write(() => {
    for (const id of codeIds) {
      const code = store.find('codes', discount.shop, id)
      if (!code || code.discountId !== discount.id) continue
      store.remove('codes', id)
      emit(discount.shop, 'discounts/redeemcode_removed', redeemCodePayload(discount, code))
    }
  })
}

/** Carries out a bulk addition; codes that are taken or doubled fail on their own, the rest are added. */
export function runCodeJob(store: StoreTables, emit: Emit, job: CodeJob): void {
  store.write(() => {
    const discount = store.find('discounts', job.shop, job.discountId)
    for (const row of job.codes) {
      if (row.errors.length > 0) continue
      if (!discount) row.errors.push({ field: ['code'], message: 'Discount does not exist.', code: 'INVALID' })
      else if (codeIsTaken(store, job.shop, row.code)) {
        row.errors.push({
          field: ['code'],
          message: 'Code must be unique. Please try a different code.',
          code: 'TAKEN',
        })
      } else {
        const code = addCode(store, discount, row.code)
        row.codeId = code.id
        emit(job.shop, 'discounts/redeemcode_added', redeemCodePayload(discount, code))
      }
    }
    store.put('codeJobs', job.id, Object.assign(job, { done: true }))
  })
}

export type CodeCheck =
  | { ok: true; discount: Discount; code: RedeemCode }
  | {
      ok: false
      reason: 'unknown' | 'not_started' | 'expired' | 'used_up' | 'already_used_by_customer' | 'not_for_this_customer'
    }

/**
 * Whether a code may be entered at checkout now by this customer (null: nobody is known). Minimums, products and
 * combinations are the checkout's to judge. Usage limits count for each code (Shopify staff, community topic 12269).
 */
export function checkCode(store: StoreTables, domain: string, text: string, customerId: Gid | null): CodeCheck {
  const code = store.codeByText(domain, text)
  const discount = code && store.find('discounts', domain, code.discountId)
  if (!code || !discount) return { ok: false, reason: 'unknown' }
  const status = discountStatus(discount, store.now())
  if (status === 'EXPIRED') return { ok: false, reason: 'expired' }
  if (status === 'SCHEDULED') return { ok: false, reason: 'not_started' }
  if (discount.usageLimit !== null && code.usageCount >= discount.usageLimit) return { ok: false, reason: 'used_up' }
  if (discount.appliesOncePerCustomer && customerId && code.usedBy.includes(customerId)) {
    return { ok: false, reason: 'already_used_by_customer' }
  }
  if (!isFor(store, discount, customerId)) return { ok: false, reason: 'not_for_this_customer' }
  return { ok: true, discount, code }
}

/** Whether a discount's context lets this customer have it. Segments here are customer tags only (README). */
export function isFor(store: StoreTables, discount: Discount, customerId: Gid | null): boolean {
  const { context } = discount
  if (context.kind === 'all') return true
  if (!customerId) return false
  if (context.kind === 'customers') return context.customerIds.includes(customerId)
  const customer = store.get('customers', customerId)
  return context.segmentIds.some((id) => {
    const segment = store.get('segments', id)
    return segment !== undefined && customer !== undefined && customerMatches(segment.query, customer.tags)
  })
}

/** Whether tags satisfy a segment query of the one form imitated: `customer_tags CONTAINS 'x'`, joined by AND. */
export function customerMatches(query: string, tags: string[]): boolean {
  return query.split(/\s+AND\s+/i).every((term) => {
    const match = /^customer_tags\s+(NOT\s+)?CONTAINS\s+'([^']*)'$/i.exec(term.trim())
    if (!match) throw new Error(`The dev store imitates segments by customer_tags CONTAINS only, not "${query}".`)
    const has = tags.some((tag) => tag.toLowerCase() === match[2]!.toLowerCase())
    return match[1] ? !has : has
  })
}

/** Automatic discounts that are alive now, oldest first. */
export function activeAutomaticDiscounts(store: StoreTables, domain: string): Discount[] {
  const now = store.now()
  return store
    .list('discounts', domain)
    .filter((row) => row.kind.startsWith('automatic') && discountStatus(row, now) === 'ACTIVE')
}

/** The discount of this shop, or an error that names it. */
export function requireDiscount(store: StoreTables, domain: string, id: Gid): Discount {
  const discount = store.find('discounts', domain, id)
  if (!discount) throw new NotInStore(`${domain} has no discount ${id}.`)
  return discount
}
