import { z } from 'zod'

import { AdminApiError, type AdminClient } from '#app/shopify/admin-api.server.ts'

/**
 * Who a customer is, as Shopify knows it. Names and addresses are read when a page shows them and are never stored
 * (Shopify's protected customer data, level 2: the least data, kept by the one who has it already).
 */
export type CustomerIdentity = {
  /** gid://shopify/Customer/… */
  customer: string
  /** Name, else e-mail address, else phone number, as Shopify's admin shows it. */
  name: string
  email: string | null
}

/** Shopify takes at most 250 ids in one list (API 2026-10, usage limits). */
const IDS_MAX = 250

const customerSchema = z.object({
  id: z.string(),
  displayName: z.string(),
  defaultEmailAddress: z.object({ emailAddress: z.string() }).nullable(),
})

const CUSTOMERS_BY_ID = `#graphql
  query CustomersById($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on Customer {
        id
        displayName
        defaultEmailAddress {
          emailAddress
        }
      }
    }
  }
`

/**
 * The identities of the given customers, by gid. Customers whom Shopify no longer has, or whose fields are not released to
 * the app, are missing from the map: show their id instead. Throws AdminApiError.
 */
export async function findCustomers(client: AdminClient, customers: string[]): Promise<Map<string, CustomerIdentity>> {
  const found = new Map<string, CustomerIdentity>()
  for (let start = 0; start < customers.length; start += IDS_MAX) {
    const ids = customers.slice(start, start + IDS_MAX)
    const reply = await client.request(
      CUSTOMERS_BY_ID,
      { ids },
      // A node that is not a customer comes back as {}, one that is gone as null.
      z.object({ nodes: z.array(z.union([customerSchema, z.object({}).nullable()])) }),
    )
    for (const node of reply.nodes) {
      const customer = customerSchema.safeParse(node)
      if (customer.success) found.set(customer.data.id, toIdentity(customer.data))
    }
  }
  return found
}

/** The customers' names by gid; empty where Shopify does not answer, because a page without names is still a page. */
export async function namesOrNone(client: AdminClient, customers: string[]): Promise<Record<string, string>> {
  if (customers.length === 0) return {}
  try {
    const found = await findCustomers(client, customers)
    return Object.fromEntries([...found].map(([customer, { name }]) => [customer, name]))
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error
    return {}
  }
}

const SEARCH_CUSTOMERS = `#graphql
  query SearchCustomers($query: String!, $first: Int!) {
    customers(first: $first, query: $query, sortKey: RELEVANCE) {
      nodes {
        id
        displayName
        defaultEmailAddress {
          emailAddress
        }
      }
    }
  }
`

/**
 * Up to `first` customers that match what somebody typed (part of a name, an e-mail address, a phone number, an id), best
 * first. Each word is the start of a word to find; what means something in Shopify's search syntax (`tag:x`, quotes, OR) is
 * searched for as text. Throws AdminApiError.
 */
export async function searchCustomers(client: AdminClient, text: string, first = 50): Promise<CustomerIdentity[]> {
  const query = text
    .trim()
    .split(/\s+/)
    .map((word) => `${word.replace(/[\\:()"'*]/g, '\\$&')}*`)
    .join(' ')
  const reply = await client.request(
    SEARCH_CUSTOMERS,
    { query, first },
    z.object({ customers: z.object({ nodes: z.array(customerSchema) }) }),
  )
  return reply.customers.nodes.map(toIdentity)
}

/** A customer and the state of their account, in Shopify's webhooks' spelling: enabled, disabled, invited, declined. */
export type CustomerState = { customer: string; state: string }

const stateSchema = z.object({ id: z.string(), state: z.string() })

const CUSTOMER_STATES = `#graphql
  query CustomerStates($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on Customer {
        id
        state
      }
    }
  }
`

/** Which of the given customers (gids) Shopify has, by gid. Nothing that names them is asked for. Throws AdminApiError. */
export async function findCustomerStates(
  client: AdminClient,
  customers: readonly string[],
): Promise<Map<string, CustomerState>> {
  const found = new Map<string, CustomerState>()
  for (let start = 0; start < customers.length; start += IDS_MAX) {
    const reply = await client.request(
      CUSTOMER_STATES,
      { ids: customers.slice(start, start + IDS_MAX) },
      z.object({ nodes: z.array(z.union([stateSchema, z.object({}).nullable()])) }),
    )
    for (const node of reply.nodes) {
      const customer = stateSchema.safeParse(node)
      if (customer.success) found.set(customer.data.id, toState(customer.data))
    }
  }
  return found
}

const CUSTOMERS_PER_PAGE = 100

const CHANGED_CUSTOMERS = `#graphql
  query ChangedCustomers($query: String!, $first: Int!, $after: String) {
    customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        state
      }
    }
  }
`
const changedPage = z.object({
  customers: z.object({
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    nodes: z.array(stateSchema),
  }),
})

/** Customers that changed at or after the instant (epoch ms), oldest change first, a page at a time. Throws AdminApiError. */
export async function* readCustomersChangedSince(client: AdminClient, since: number): AsyncGenerator<CustomerState[]> {
  const query = `updated_at:>='${new Date(since).toISOString()}'`
  let after: string | null = null
  do {
    const { pageInfo, nodes } = await readChangedPage(client, query, after)
    yield nodes.map(toState)
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after !== null)
}

type ChangedPage = z.infer<typeof changedPage>['customers']

async function readChangedPage(client: AdminClient, query: string, after: string | null): Promise<ChangedPage> {
  const variables = { query, first: CUSTOMERS_PER_PAGE, after }
  return (await client.request(CHANGED_CUSTOMERS, variables, changedPage)).customers
}

/** E-mail addresses a request: each costs a point of the shop's budget, of which the smallest plan has 100 a second. */
const EMAILS_A_REQUEST = 50

/** The customers of these e-mail addresses (in small letters), by address; those that Shopify does not know are missing. Throws AdminApiError. */
export async function findCustomersByEmail(
  client: AdminClient,
  emails: readonly string[],
): Promise<Map<string, CustomerState>> {
  const found = new Map<string, CustomerState>()
  for (let start = 0; start < emails.length; start += EMAILS_A_REQUEST) {
    const some = emails.slice(start, start + EMAILS_A_REQUEST)
    const variables = Object.fromEntries(some.map((email, place) => [`email${place}`, email]))
    const reply = await client.request(
      customersByEmailDocument(some.length),
      variables,
      z.record(z.string(), stateSchema.nullable()),
    )
    some.forEach((email, place) => {
      const customer = reply[`customer${place}`]
      if (customer) found.set(email, toState(customer))
    })
  }
  return found
}

/** The query that looks up so many e-mail addresses at once (customerByIdentifier, Admin API 2026-10): variables `email0`, `email1`, … */
export function customersByEmailDocument(emails: number): string {
  const places = Array.from({ length: emails }, (_, place) => place)
  const names = places.map((place) => `$email${place}: String!`)
  const looks = places.map(
    (place) => `customer${place}: customerByIdentifier(identifier: { emailAddress: $email${place} }) { id state }`,
  )
  return `query CustomersByEmail(${names.join(', ')}) { ${looks.join(' ')} }`
}

function toState({ id, state }: z.infer<typeof stateSchema>): CustomerState {
  return { customer: id, state: state.toLowerCase() }
}

function toIdentity(customer: z.infer<typeof customerSchema>): CustomerIdentity {
  return {
    customer: customer.id,
    name: customer.displayName,
    email: customer.defaultEmailAddress?.emailAddress ?? null,
  }
}
