/**
 * The dev store's tables in memory, their indexes, their clock, and their journal. Verbs (orders.ts, customers.ts, …)
 * change records inside `write`, which makes one journal line of everything they touched.
 */
import { randomUUID } from 'node:crypto'
import { compactJournal, openJournal, readJournal, type Change, type JournalWriter } from './journal.ts'
import type {
  Customer,
  Gid,
  Metafield,
  Order,
  Product,
  RedeemCode,
  Settings,
  Shop,
  TableName,
  Tables,
} from './records.ts'

/** Ids start here: 13 digits, like those of real shops today. */
const FIRST_ID = 7_100_000_000_001

/** Finished deliveries kept with their bodies, newest first; older ones are forgotten. */
const DELIVERIES_KEPT = 2_000

const TABLE_NAMES: TableName[] = [
  'settings',
  'shops',
  'products',
  'collections',
  'customers',
  'orders',
  'discounts',
  'codes',
  'codeJobs',
  'removalJobs',
  'metafields',
  'giftCards',
  'storeCredit',
  'segments',
  'bulkOperations',
  'deliveries',
  'flowTriggers',
]

type Rows<T extends TableName> = Map<string, Tables[T]>

/** Thrown when a verb is asked for something that is not there; a page may show its message. */
export class NotInStore extends Error {}

/** The store's memory. Open it with `createStore` of state.ts, which adds the verbs. */
export class StoreTables {
  private readonly rows = Object.fromEntries(TABLE_NAMES.map((name) => [name, new Map()])) as {
    [T in TableName]: Rows<T>
  }
  private readonly rowsOfShop = new Map<string, Map<string, unknown>>()
  private readonly ordersOfCustomer = new Map<Gid, Set<Gid>>()
  private readonly customersByEmail = new Map<string, Set<Gid>>()
  private readonly codesByText = new Map<string, Gid>()
  private readonly codesOfDiscount = new Map<Gid, Set<Gid>>()
  private readonly productsByVariant = new Map<Gid, Gid>()
  private readonly metafieldsOfOwner = new Map<Gid, Set<Gid>>()
  private readonly listeners = new Set<(changed: ReadonlySet<TableName>) => void>()
  private readonly journal: JournalWriter | null
  private readonly touched = new Map<string, Change>()
  private readonly touchedTables = new Set<TableName>()
  private depth = 0

  /** Reads `dataFile` if there is one, tidies it, and keeps it open; without it nothing outlives the process. */
  constructor(dataFile?: string) {
    const changes = dataFile ? readJournal(dataFile, (change) => this.apply(change)) : 0
    if (this.rows.settings.size === 0) this.rows.settings.set('settings', freshSettings())
    if (dataFile) {
      this.forgetOldDeliveries()
      const live = TABLE_NAMES.reduce((sum, name) => sum + this.rows[name].size, 0)
      if (changes > live * 1.2) compactJournal(dataFile, this.everything())
    }
    this.journal = dataFile ? openJournal(dataFile) : null
  }

  /** Flushes nothing (every change is written at once); only closes the file. */
  close(): void {
    this.journal?.close()
  }

  get settings(): Settings {
    return this.rows.settings.get('settings')!
  }

  /** The store's clock: machine time plus the offset that `advanceTime` has set. */
  now(): number {
    return Date.now() + this.settings.clockOffsetMs
  }

  /** A new gid, such as `gid://shopify/Order/7100000000042`. Ids are never used twice, over restarts either. */
  newId(type: string): Gid {
    return `gid://shopify/${type}/${this.newNumber()}`
  }

  /** A new 13-digit number as text, for records that Shopify numbers without a gid. */
  newNumber(): string {
    const id = this.settings.nextId
    this.settings.nextId = id + 1
    this.touch('settings', 'settings', this.settings)
    return String(id)
  }

  newUuid(): string {
    return randomUUID()
  }

  /** Runs a verb; all it touched becomes one journal line, and listeners hear which tables changed. */
  write<Result>(verb: () => Result): Result {
    this.depth += 1
    try {
      return verb()
    } finally {
      this.depth -= 1
      if (this.depth === 0 && this.touched.size > 0) this.flush()
    }
  }

  get<T extends TableName>(table: T, key: string): Tables[T] | undefined {
    return this.rows[table].get(key) as Tables[T] | undefined
  }

  /** The record, or an error that names what is missing. */
  require<T extends TableName>(table: T, key: string): Tables[T] {
    const record = this.get(table, key)
    if (!record) throw new NotInStore(`There is no ${key} among the dev store's ${table}.`)
    return record
  }

  /** The record if it is of this shop, else nothing: one shop never sees another's. */
  find<T extends Exclude<TableName, 'shops' | 'settings'>>(table: T, shop: string, key: string): Tables[T] | undefined {
    const record = this.get(table, key)
    return record && record.shop === shop ? record : undefined
  }

  /** All records of a shop, oldest first. */
  list<T extends Exclude<TableName, 'shops' | 'settings'>>(table: T, shop: string): Tables[T][] {
    const rows = this.rowsOfShop.get(`${table} ${shop}`)
    return rows ? ([...rows.values()] as Tables[T][]) : []
  }

  /** Every shop of this dev store. */
  shops(): Shop[] {
    return [...this.rows.shops.values()]
  }

  /** The shop, or an error naming the shops there are. */
  shop(domain: string): Shop {
    const shop = this.rows.shops.get(domain)
    if (!shop)
      throw new NotInStore(`No shop ${domain} in this dev store, only ${[...this.rows.shops.keys()].join(', ')}.`)
    return shop
  }

  put<T extends TableName>(table: T, key: string, record: Tables[T]): void {
    ;(this.rows[table] as Map<string, Tables[T]>).set(key, record)
    this.index(table, key, record)
    this.write(() => this.touch(table, key, record))
  }

  remove(table: TableName, key: string): void {
    this.forget(table, key)
    this.write(() => this.touch(table, key, null))
  }

  /** The shop's product that has this variant. */
  productOfVariant(shop: string, variantId: Gid): Product | undefined {
    const product = this.find('products', shop, this.productsByVariant.get(variantId) ?? '')
    return product?.variants.some((variant) => variant.id === variantId) ? product : undefined
  }

  /** A customer's orders, oldest first. */
  ordersOf(customerId: Gid): Order[] {
    const orders = [...(this.ordersOfCustomer.get(customerId) ?? [])].map((id) => this.get('orders', id))
    return orders.filter((order): order is Order => order?.customerId === customerId)
  }

  customerByEmail(shop: string, email: string): Customer | undefined {
    const ids = this.customersByEmail.get(`${shop} ${email.toLowerCase()}`) ?? []
    return [...ids]
      .map((id) => this.find('customers', shop, id))
      .find((customer) => customer?.email?.toLowerCase() === email.toLowerCase() && customer.mergedInto === null)
  }

  /** Codes are found whatever their case, as on Shopify. */
  codeByText(shop: string, text: string): RedeemCode | undefined {
    const id = this.codesByText.get(codeKey(shop, text))
    return id ? this.get('codes', id) : undefined
  }

  codesOf(discountId: Gid): RedeemCode[] {
    const ids = [...(this.codesOfDiscount.get(discountId) ?? [])]
    return ids.map((id) => this.get('codes', id)).filter((code): code is RedeemCode => code !== undefined)
  }

  metafieldsOf(ownerId: Gid): Metafield[] {
    const ids = [...(this.metafieldsOfOwner.get(ownerId) ?? [])]
    return ids.map((id) => this.get('metafields', id)).filter((row): row is Metafield => row !== undefined)
  }

  /** Calls back after every change with the tables it touched; returns how to stop. */
  onChange(listener: (changed: ReadonlySet<TableName>) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private touch(table: TableName, key: string, record: unknown): void {
    if (this.depth === 0) return this.write(() => this.touch(table, key, record))
    this.touched.set(`${table} ${key}`, [table, key, record])
    this.touchedTables.add(table)
  }

  private flush(): void {
    this.journal?.append([...this.touched.values()])
    const changed = new Set(this.touchedTables)
    this.touched.clear()
    this.touchedTables.clear()
    for (const listener of this.listeners) listener(changed)
  }

  private apply([table, key, record]: Change): void {
    const name = table as TableName
    if (!(name in this.rows)) return
    if (record === null) return this.forget(name, key)
    ;(this.rows[name] as Map<string, unknown>).set(key, record)
    this.index(name, key, record as Tables[TableName])
  }

  private forget(table: TableName, key: string): void {
    const record = this.rows[table].get(key)
    this.rows[table].delete(key)
    if (record && 'shop' in record) this.rowsOfShop.get(`${table} ${record.shop}`)?.delete(key)
    if (table === 'codes' && record) {
      const code = record as RedeemCode
      this.codesByText.delete(codeKey(code.shop, code.code))
      this.codesOfDiscount.get(code.discountId)?.delete(code.id)
    }
  }

  private index(table: TableName, key: string, record: Tables[TableName]): void {
    if ('shop' in record) {
      const place = `${table} ${record.shop}`
      const rows = this.rowsOfShop.get(place) ?? new Map<string, unknown>()
      this.rowsOfShop.set(place, rows.set(key, record))
    }
    if (table === 'orders') {
      const { customerId, id } = record as Order
      if (customerId) addTo(this.ordersOfCustomer, customerId, id)
    }
    if (table === 'customers') {
      const { email, shop, id } = record as Customer
      if (email) addTo(this.customersByEmail, `${shop} ${email.toLowerCase()}`, id)
    }
    if (table === 'codes') {
      const code = record as RedeemCode
      this.codesByText.set(codeKey(code.shop, code.code), code.id)
      addTo(this.codesOfDiscount, code.discountId, code.id)
    }
    if (table === 'products') {
      const product = record as Product
      for (const variant of product.variants) this.productsByVariant.set(variant.id, product.id)
    }
    if (table === 'metafields') addTo(this.metafieldsOfOwner, (record as Metafield).ownerId, key)
  }

  /** Drops the oldest finished deliveries beyond what is kept. */
  forgetOldDeliveries(): void {
    const finished = [...this.rows.deliveries.values()].filter(
      (row) => row.status !== 'waiting' && row.status !== 'held',
    )
    const surplus = finished.length - DELIVERIES_KEPT
    if (surplus > 0) this.write(() => finished.slice(0, surplus).forEach((row) => this.remove('deliveries', row.id)))
  }

  private *everything(): Generator<Change> {
    for (const table of TABLE_NAMES) for (const [key, record] of this.rows[table]) yield [table, key, record]
  }
}

function codeKey(shop: string, text: string): string {
  return `${shop} ${text.trim().toUpperCase()}`
}

function addTo(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key)
  if (ids) ids.add(id)
  else index.set(key, new Set([id]))
}

function freshSettings(): Settings {
  return {
    id: 'settings',
    clockOffsetMs: 0,
    nextId: FIRST_ID,
    nextSequence: 1,
    faults: [],
    webhooks: { hold: false, twice: false },
  }
}
