/** Customers, their tags, store credit accounts, and segments of them. */
import { customerMatches } from '../discounts.ts'
import { sum, totalsOf } from '../order-totals.ts'
import type { Address, Customer, Gid, Order, Segment, StoreCreditAccount, StoreCreditTransaction } from '../records.ts'
import type { DevStore } from '../state.ts'
import {
  badRequest,
  connection,
  connectionFields,
  dateTime,
  fieldsOf,
  money,
  notImitated,
  properties,
  typeOfGid,
  wholeConnection,
  type Args,
  type Context,
  type Field,
  type Fields,
} from './context.ts'
import { metafieldFieldsOf } from './metafields.ts'
import { findNode, findOf } from './node.ts'
import { orderConnection } from './order-fields.ts'
import {
  matchesId,
  matchesNumber,
  matchesText,
  matchesTime,
  matchesWords,
  search,
  type Filters,
  type Term,
} from './search.ts'

type Row = { customer: Customer; store: DevStore }

/** The filters that `customers(query:)` documents in 2026-10, none for metafields. */
const filters: Filters<Row> = {
  id: ({ customer }, term) => matchesId(customer.id, term),
  email: ({ customer }, term) => matchesText(customer.email, term),
  phone: ({ customer }, term) => matchesText(customer.phone, term),
  first_name: ({ customer }, term) => matchesText(customer.firstName, term),
  last_name: ({ customer }, term) => matchesText(customer.lastName, term),
  country: ({ customer }, term) => matchesText(customer.addresses[0]?.country, term),
  state: ({ customer }, term) => matchesText(customer.state, term),
  tag: ({ customer }, term) => customer.tags.some((tag) => matchesText(tag, term)),
  tag_not: ({ customer }, term) => !customer.tags.some((tag) => matchesText(tag, term)),
  accepts_marketing: ({ customer }, term) => matchesText(String(customer.acceptsMarketing), term),
  customer_date: ({ customer }, term) => matchesTime(customer.createdAt, term),
  updated_at: ({ customer }, term) => matchesTime(customer.updatedAt, term),
  orders_count: ({ customer, store }, term) => matchesNumber(store.ordersOf(customer.id).length, term),
  order_date: ({ customer, store }, term) =>
    store.ordersOf(customer.id).some((order) => matchesTime(order.processedAt, term)),
  total_spent: ({ customer, store }, term: Term) => matchesNumber(amountSpent(store.ordersOf(customer.id)) / 100, term),
  default: ({ customer }, term) =>
    matchesWords(
      [customer.firstName, customer.lastName, customer.email, customer.phone, customer.id.split('/').at(-1)],
      term,
    ),
}

function found({ store, domain }: Context, args: Args): Customer[] {
  const rows = store.customers(domain).map((customer) => ({ customer, store }))
  const customers = search(rows, args.query, filters).map((row) => row.customer)
  if (args.sortKey === 'UPDATED_AT') customers.sort((a, b) => a.updatedAt - b.updatedAt)
  if (args.sortKey === 'CREATED_AT') customers.sort((a, b) => a.createdAt - b.createdAt)
  if (args.sortKey === 'NAME') customers.sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
  if (args.sortKey === 'LOCATION') throw notImitated('sortKey: LOCATION of customers')
  return customers
}

/** Money of the customer's orders now, cancelled and test ones left out. */
function amountSpent(orders: Order[]): number {
  const counted = orders.filter((order) => order.cancelledAt === null && !order.test)
  return sum(counted, (order) => {
    const totals = totalsOf(order)
    return Math.max(0, totals.receivedMinor - totals.refundedMinor)
  })
}

/** The name as Shopify shows it: first and last, else the e-mail, else the phone. */
export function nameOf(customer: Customer): string {
  const name = [customer.firstName, customer.lastName].filter(Boolean).join(' ')
  return name || customer.email || customer.phone || ''
}

function byIdentifier(context: Context, identifier: Record<string, unknown>): Customer | null {
  const { store, domain } = context
  const [kind, value] = Object.entries(identifier)[0] ?? []
  if (kind === 'id') return findNode(context, value as Gid) as Customer | null
  if (kind === 'emailAddress') return store.customerByEmail(domain, value as string) ?? null
  if (kind === 'phoneNumber') return store.customers(domain).find((row) => row.phone === value) ?? null
  throw notImitated(`customerByIdentifier by ${kind}`)
}

export const customerRoots = fieldsOf<null>('QueryRoot', {
  customer: (_root, args, context) => findOf(context, args.id as Gid, 'Customer'),
  customers: (_root, args, context) => connection(found(context, args), args),
  customersCount: (_root, args, context) => ({ count: found(context, args).length, precision: 'EXACT' }),
  customerByIdentifier: (_root, args, context) => byIdentifier(context, args.identifier as Record<string, unknown>),
  segment: (_root, args, context) => findOf(context, args.id as Gid, 'Segment'),
  segments: (_root, args, { store, domain }) => {
    if (args.query) throw notImitated('segments by query')
    return connection(store.tables.list('segments', domain), args)
  },
  segmentFilters: (_root, args) => connection(SEGMENT_FILTERS, args),
  customerSegmentMembers: (_root, args, context) => segmentMembers(context, args),
  storeCreditAccount: (_root, args, context) => findOf(context, args.id as Gid, 'StoreCreditAccount'),
})

export const customerBulkRoots: Record<string, Field<null>> = {
  customers: (_root, args, context) => wholeConnection(found(context, args), args),
}

const SEGMENT_FILTERS = [
  {
    __typename: 'SegmentStringFilter',
    id: 'customer_tags',
    queryName: 'customer_tags',
    localizedName: 'Customer tags',
    multiValue: true,
  },
]

function segmentMembers(context: Context, args: Args) {
  const { store, domain } = context
  if (args.queryId) throw notImitated('customerSegmentMembers by queryId')
  let query = args.query as string | undefined
  if (args.segmentId) {
    const segment = store.tables.find('segments', domain, args.segmentId as Gid)
    if (!segment) throw badRequest('Segment does not exist.')
    query = segment.query
  }
  if (query === undefined) throw badRequest('You must provide one of query, queryId or segmentId.')
  const members = store.customers(domain).filter((customer) => customerMatches(query, customer.tags))
  const asMember = (customer: Customer) => ({
    ...customer,
    id: customer.id.replace('/Customer/', '/CustomerSegmentMember/'),
    customer,
  })
  return { ...connection(members.map(asMember), args, 1000), totalCount: members.length }
}

const person: Record<string, Field<Customer>> = {
  firstName: (row) => row.firstName,
  lastName: (row) => row.lastName,
  displayName: (row) => nameOf(row),
  note: (row) => row.note,
  defaultAddress: (row) => row.addresses[0] ?? null,
  defaultEmailAddress: (row) =>
    row.email === null
      ? null
      : {
          emailAddress: row.email,
          marketingState: row.acceptsMarketing ? 'SUBSCRIBED' : 'NOT_SUBSCRIBED',
          validFormat: true,
        },
  defaultPhoneNumber: (row) => (row.phone === null ? null : { phoneNumber: row.phone }),
}

export const customerFields: Fields = {
  ...fieldsOf<Customer>('Customer', {
    ...person,
    id: (row) => row.id,
    legacyResourceId: (row) => row.id.split('/').at(-1),
    email: (row) => row.email,
    phone: (row) => row.phone,
    state: (row) => row.state.toUpperCase(),
    tags: (row) => [...row.tags].sort(),
    locale: (row) => row.locale,
    taxExempt: (row) => row.taxExempt,
    verifiedEmail: (row) => row.verifiedEmail,
    validEmailAddress: (row) => row.email !== null,
    createdAt: (row) => dateTime(row.createdAt),
    updatedAt: (row) => dateTime(row.updatedAt),
    canDelete: (row, _args, { store }) => store.ordersOf(row.id).length === 0,
    amountSpent: (row, _args, { store, domain }) =>
      money(amountSpent(store.ordersOf(row.id)), store.shop(domain).currency),
    numberOfOrders: (row, _args, { store }) => String(store.ordersOf(row.id).length),
    lastOrder: (row, _args, { store }) => store.ordersOf(row.id).at(-1) ?? null,
    orders: (row, args, context) => orderConnection(context.store.ordersOf(row.id), args),
    addressesV2: (row, args) =>
      connection(
        row.addresses.map((address) => ({ ...address, id: addressGid(address) })),
        args,
      ),
    storeCreditAccounts: (row, args, { store, domain }) => connection(store.storeCreditOf(domain, row.id), args),
    ...metafieldFieldsOf<Customer>(),
  }),
  ...connectionFields('Customer'),
  ...fieldsOf('CustomerEmailAddress', properties('emailAddress', 'marketingState', 'validFormat')),
  ...fieldsOf('CustomerPhoneNumber', properties('phoneNumber')),
  ...fieldsOf<Address>('MailingAddress', {
    ...(properties(
      'firstName',
      'lastName',
      'company',
      'address1',
      'address2',
      'city',
      'province',
      'provinceCode',
      'country',
      'zip',
      'phone',
    ) as Record<string, Field<Address>>),
    id: addressGid,
    countryCodeV2: (row) => row.countryCode,
    name: (row) => [row.firstName, row.lastName].filter(Boolean).join(' ') || null,
  }),
  ...connectionFields('MailingAddress'),
  ...fieldsOf<Customer & { customer: Customer }>('CustomerSegmentMember', {
    ...(person as Record<string, Field<Customer & { customer: Customer }>>),
    id: (row) => row.id,
    amountSpent: (row, _args, { store, domain }) =>
      money(amountSpent(store.ordersOf(row.customer.id)), store.shop(domain).currency),
    numberOfOrders: (row, _args, { store }) => String(store.ordersOf(row.customer.id).length),
    lastOrderId: (row, _args, { store }) => store.ordersOf(row.customer.id).at(-1)?.id ?? null,
  }),
  ...fieldsOf('CustomerSegmentMemberConnection', properties('edges', 'pageInfo', 'totalCount')),
  ...fieldsOf('CustomerSegmentMemberEdge', properties('cursor', 'node')),
  ...fieldsOf<Segment>('Segment', {
    ...(properties('id', 'name', 'query') as Record<string, Field<Segment>>),
    creationDate: (row) => dateTime(row.createdAt),
    lastEditDate: (row) => dateTime(row.updatedAt),
  }),
  ...connectionFields('Segment'),
  ...connectionFields('SegmentFilter'),
  ...fieldsOf('SegmentStringFilter', properties('queryName', 'localizedName', 'multiValue')),
  ...fieldsOf('SegmentCreatePayload', properties('segment', 'userErrors')),
  ...fieldsOf('TagsAddPayload', properties('node', 'userErrors')),
  ...fieldsOf('TagsRemovePayload', properties('node', 'userErrors')),
  ...fieldsOf<StoreCreditAccount>('StoreCreditAccount', {
    id: (row) => row.id,
    balance: (row) => money(row.balanceMinor, row.currency),
    owner: (row, _args, context) => findNode(context, row.ownerId),
    transactions: (row, args) =>
      connection(
        row.transactions.map((transaction) => creditView(transaction, row)),
        args,
      ),
  }),
  ...connectionFields('StoreCreditAccount'),
  ...connectionFields('StoreCreditAccountTransaction'),
  ...creditTransactionFields('StoreCreditAccountCreditTransaction'),
  ...creditTransactionFields('StoreCreditAccountDebitTransaction'),
}

/** A transaction with its account; its GraphQL type is in its gid. */
export function creditView(transaction: StoreCreditTransaction, account: StoreCreditAccount) {
  return { ...transaction, account }
}

function creditTransactionFields(type: string): Fields {
  return fieldsOf<StoreCreditTransaction & { account: StoreCreditAccount }>(type, {
    id: (row) => row.id,
    account: (row) => row.account,
    amount: (row) => money(row.amountMinor, row.account.currency),
    balanceAfterTransaction: (row) => money(row.balanceAfterMinor, row.account.currency),
    createdAt: (row) => dateTime(row.createdAt),
    expiresAt: (row) => dateTime(row.expiresAt),
    event: (row) => row.event,
    origin: () => null,
  })
}

function addressGid(address: Address): string {
  return address.id.startsWith('gid://')
    ? address.id
    : `gid://shopify/MailingAddress/${address.id}?model_name=CustomerAddress`
}

export const customerMutations = fieldsOf<null>('Mutation', {
  tagsAdd: (_root, args, context) =>
    changeTags(context, args.id as Gid, (tags) => [...new Set([...tags, ...splitTags(args.tags as string[])])]),
  tagsRemove: (_root, args, context) => {
    const gone = new Set(splitTags(args.tags as string[]).map((tag) => tag.toLowerCase()))
    return changeTags(context, args.id as Gid, (tags) => tags.filter((tag) => !gone.has(tag.toLowerCase())))
  },
  segmentCreate: (_root, args, { store, domain }) => {
    const { name, query } = args as { name: string; query: string }
    customerMatches(query, [])
    // "Segment names must be unique" (shopify.dev); the wording is Rails' usual one, no capture holds it.
    const isTaken = store.tables.list('segments', domain).some((known) => known.name === name)
    if (isTaken) return { segment: null, userErrors: [{ field: ['name'], message: 'Name has already been taken' }] }
    const now = store.now()
    const segment: Segment = {
      id: store.tables.newId('Segment'),
      shop: domain,
      name,
      query,
      createdAt: now,
      updatedAt: now,
    }
    store.tables.put('segments', segment.id, segment)
    return { segment, userErrors: [] }
  },
})

function splitTags(tags: string[]): string[] {
  return tags
    .flatMap((tag) => tag.split(','))
    .map((tag) => tag.trim())
    .filter(Boolean)
}

function changeTags(context: Context, id: Gid, change: (tags: string[]) => string[]) {
  const { store, domain } = context
  const type = typeOfGid(id)
  const node = findNode(context, id)
  if (!node) return { node: null, userErrors: [{ field: ['id'], message: `${type ?? 'Resource'} does not exist` }] }
  if (type === 'Customer') store.updateCustomer(domain, id, { tags: change((node as Customer).tags) })
  else if (type === 'Product')
    store.updateProduct(domain, id, { tags: change((node as unknown as { tags: string[] }).tags) })
  else if (type === 'Order') {
    const order = node as Order
    store.tables.put('orders', id, Object.assign(order, { tags: change(order.tags), updatedAt: store.now() }))
  } else throw notImitated(`tags of a ${type}`)
  return { node: findNode(context, id), userErrors: [] }
}
