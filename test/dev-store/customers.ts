/** Customers: made, changed, merged, deleted, and asked about or forgotten under privacy law. */
import { numericId, customerPayload } from './payloads.ts'
import type { Address, Customer, Gid } from './records.ts'
import { NotInStore, type StoreTables } from './tables.ts'
import type { Emit } from './webhooks.ts'

export type CreateCustomer = {
  email?: string | null
  firstName?: string | null
  lastName?: string | null
  phone?: string | null
  /** Default `enabled`: someone with an account, who can sign in on the storefront. */
  state?: Customer['state']
  verifiedEmail?: boolean
  tags?: string[]
  note?: string | null
  locale?: string
  acceptsMarketing?: boolean
  taxExempt?: boolean
  /** For history; default now. */
  createdAt?: number
  addresses?: Omit<Address, 'id'>[]
  /** Default true; history can come in silently. */
  webhooks?: boolean
}

/** Adds a customer. Sends `customers/create` (and `customers/enable` where there is an account). */
export function createCustomer(store: StoreTables, emit: Emit, domain: string, input: CreateCustomer): Customer {
  return store.write(() => {
    const shop = store.shop(domain)
    if (input.email && store.customerByEmail(domain, input.email))
      throw new RangeError(`${input.email} has already been taken.`)
    const at = input.createdAt ?? store.now()
    const customer: Customer = {
      id: store.newId('Customer'),
      shop: domain,
      email: input.email ?? null,
      firstName: input.firstName ?? null,
      lastName: input.lastName ?? null,
      phone: input.phone ?? null,
      state: input.state ?? 'enabled',
      verifiedEmail: input.verifiedEmail ?? true,
      tags: input.tags ?? [],
      note: input.note ?? null,
      locale: input.locale ?? 'en',
      taxExempt: input.taxExempt ?? false,
      acceptsMarketing: input.acceptsMarketing ?? false,
      createdAt: at,
      updatedAt: at,
      addresses: (input.addresses ?? []).map((address) => ({ id: store.newNumber(), ...address })),
      mergedInto: null,
    }
    store.put('customers', customer.id, customer)
    if (input.webhooks ?? true) {
      const eventId = store.newUuid()
      emit(domain, 'customers/create', customerPayload(shop, customer), { eventId })
      if (customer.state === 'enabled') emit(domain, 'customers/enable', customerPayload(shop, customer), { eventId })
    }
    return customer
  })
}

export type CustomerChange = Partial<
  Pick<
    Customer,
    | 'email'
    | 'firstName'
    | 'lastName'
    | 'phone'
    | 'state'
    | 'verifiedEmail'
    | 'tags'
    | 'note'
    | 'locale'
    | 'taxExempt'
    | 'acceptsMarketing'
  >
>

/** Changes a customer. Sends `customers/update`, and the tag and account topics where those changed. */
export function updateCustomer(
  store: StoreTables,
  emit: Emit,
  domain: string,
  customerId: Gid,
  change: CustomerChange,
): Customer {
  return store.write(() => {
    const customer = requireCustomer(store, domain, customerId)
    const before = { tags: customer.tags, state: customer.state }
    Object.assign(customer, change, { updatedAt: store.now() })
    store.put('customers', customer.id, customer)
    const payload = customerPayload(store.shop(domain), customer)
    const eventId = store.newUuid()
    emit(domain, 'customers/update', payload, { eventId })
    if (before.state !== customer.state && customer.state === 'enabled')
      emit(domain, 'customers/enable', payload, { eventId })
    if (before.state === 'enabled' && customer.state !== 'enabled')
      emit(domain, 'customers/disable', payload, { eventId })
    const occurredAt = new Date(customer.updatedAt).toISOString()
    const added = customer.tags.filter((tag) => !before.tags.includes(tag))
    const removed = before.tags.filter((tag) => !customer.tags.includes(tag))
    if (added.length > 0) emit(domain, 'customer.tags_added', { customerId, tags: added, occurredAt })
    if (removed.length > 0) emit(domain, 'customer.tags_removed', { customerId, tags: removed, occurredAt })
    return customer
  })
}

/** Deletes a customer without orders, as Shopify does; with orders it is refused. Sends `customers/delete`. */
export function deleteCustomer(
  store: StoreTables,
  emit: Emit,
  domain: string,
  customerId: Gid,
): { ok: true } | { ok: false; reason: 'has_orders' } {
  return store.write(() => {
    const customer = requireCustomer(store, domain, customerId)
    if (store.ordersOf(customerId).length > 0) return { ok: false, reason: 'has_orders' }
    forgetOwner(store, customer.id)
    store.remove('customers', customer.id)
    emit(domain, 'customers/delete', {
      id: numericId(customer.id),
      tax_exemptions: [],
      admin_graphql_api_id: customer.id,
    })
    return { ok: true }
  })
}

/** Why Shopify will not merge two customers. */
export type MergeRefusal = 'same_customer' | 'has_gift_cards' | 'has_store_credit'

/**
 * Merges two customers: orders, tags, addresses and an empty account of store credit go to the one kept; metafields it lacks come over
 * too. Sends `customers/merge` and `customers/update`; orders keep their dates and are not announced. Of Shopify's hard blockers
 * (shopify.dev, CustomerMergeErrorFieldType) gift cards and store credit, of either customer, are imitated; `whose` says which has them.
 */
export function mergeCustomers(
  store: StoreTables,
  emit: Emit,
  domain: string,
  keptId: Gid,
  deletedId: Gid,
): { ok: true; customer: Customer } | { ok: false; reason: MergeRefusal; whose: Gid } {
  if (keptId === deletedId) return { ok: false, reason: 'same_customer', whose: keptId }
  const kept = requireCustomer(store, domain, keptId)
  const gone = requireCustomer(store, domain, deletedId)
  const cards = store.list('giftCards', domain)
  const credit = store.list('storeCredit', domain)
  for (const whose of [keptId, deletedId]) {
    if (cards.some(({ customerId }) => customerId === whose)) return { ok: false, reason: 'has_gift_cards', whose }
    if (credit.some(({ ownerId, balanceMinor }) => ownerId === whose && balanceMinor > 0))
      return { ok: false, reason: 'has_store_credit', whose }
  }
  return store.write(() => {
    for (const order of store.ordersOf(gone.id))
      store.put('orders', order.id, Object.assign(order, { customerId: kept.id }))
    kept.tags = [...new Set([...kept.tags, ...gone.tags])]
    kept.addresses.push(...gone.addresses)
    kept.email ??= gone.email
    kept.phone ??= gone.phone
    kept.note ??= gone.note
    kept.updatedAt = store.now()
    moveBelongings(store, domain, kept.id, gone.id)
    store.put('customers', kept.id, kept)
    store.put(
      'customers',
      gone.id,
      Object.assign(gone, { mergedInto: kept.id, email: null, phone: null, updatedAt: store.now() }),
    )
    emit(domain, 'customers/merge', {
      admin_graphql_api_customer_kept_id: kept.id,
      admin_graphql_api_customer_deleted_id: gone.id,
      admin_graphql_api_job_id: store.newId('Job'),
      status: 'completed',
      errors: [],
    })
    emit(domain, 'customers/update', customerPayload(store.shop(domain), kept))
    return { ok: true, customer: kept }
  })
}

/** Sends `customers/data_request` for a customer, as when a merchant asks Shopify for a shopper's data. */
export function requestData(store: StoreTables, emit: Emit, domain: string, customerId: Gid): void {
  store.write(() => {
    const about = privacyPayload(store, domain, customerId)
    const orders = store.ordersOf(customerId).map((order) => numericId(order.id))
    emit(domain, 'customers/data_request', {
      ...about,
      orders_requested: orders,
      data_request: { id: Number(store.newNumber()) },
    })
  })
}

/** Sends `customers/redact` and takes the customer's identity out of the store (Shopify does so about 10 days later). */
export function redactCustomer(store: StoreTables, emit: Emit, domain: string, customerId: Gid): void {
  store.write(() => {
    const about = privacyPayload(store, domain, customerId)
    const orders = store.ordersOf(customerId)
    emit(domain, 'customers/redact', { ...about, orders_to_redact: orders.map((order) => numericId(order.id)) })
    const customer = requireCustomer(store, domain, customerId)
    const nobody = { email: null, firstName: null, lastName: null, phone: null, note: null, addresses: [], tags: [] }
    store.put('customers', customer.id, Object.assign(customer, nobody, { state: 'disabled' as const }))
    for (const order of orders) store.put('orders', order.id, Object.assign(order, { email: null }))
    forgetOwner(store, customerId)
  })
}

/** The customer of this shop (a merged one under its own id too is gone), or an error that names it. */
export function requireCustomer(store: StoreTables, domain: string, customerId: Gid): Customer {
  const customer = store.find('customers', domain, customerId)
  if (!customer || customer.mergedInto) throw new NotInStore(`${domain} has no customer ${customerId}.`)
  return customer
}

function privacyPayload(store: StoreTables, domain: string, customerId: Gid): Record<string, unknown> {
  const customer = requireCustomer(store, domain, customerId)
  return {
    shop_id: numericId(store.shop(domain).id),
    shop_domain: domain,
    customer: { id: numericId(customer.id), email: customer.email, phone: customer.phone },
  }
}

function forgetOwner(store: StoreTables, ownerId: Gid): void {
  for (const row of store.metafieldsOf(ownerId)) store.remove('metafields', row.id)
}

function moveBelongings(store: StoreTables, domain: string, keptId: Gid, goneId: Gid): void {
  const own = new Set(store.metafieldsOf(keptId).map((row) => `${row.namespace}.${row.key}`))
  for (const row of store.metafieldsOf(goneId)) {
    store.remove('metafields', row.id)
    if (own.has(`${row.namespace}.${row.key}`)) continue
    const id = store.newId('Metafield')
    store.put('metafields', id, { ...row, id, ownerId: keptId })
  }
  for (const account of store.list('storeCredit', domain)) {
    if (account.ownerId === goneId) store.put('storeCredit', account.id, Object.assign(account, { ownerId: keptId }))
  }
}
