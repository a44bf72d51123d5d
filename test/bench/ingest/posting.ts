import pg from 'pg'
import { inTransaction, pool } from '#app/db/client.server.ts'
import { openAccounts, postToLedger } from '#app/db/ledger.server.ts'
import type { Transfer } from '#app/loyalty/ledger.ts'

const AT = Date.parse('2026-08-01T12:00:00Z')
const DAY_MS = 86_400_000
const gid = (number: number) => `gid://shopify/Customer/${8_000_000_000_000 + number}`

/** One row per commit, `clients` at a time, for `ms`: rows per second. The yardstick of every other figure. */
export async function measureRawCommits(url: string, ms: number, clients = 8): Promise<number> {
  const connections = Array.from({ length: clients }, () => new pg.Client({ connectionString: url }))
  await Promise.all(connections.map((connection) => connection.connect()))
  await connections[0]!.query(
    'create table if not exists raw_rows (id bigint generated always as identity primary key, member bigint, amount bigint, key text)',
  )
  let rows = 0
  const startedAt = performance.now()
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let row = 0; performance.now() - startedAt < ms; row += 1) {
        const text = 'insert into raw_rows (member, amount, key) values ($1, $2, $3)'
        await connection.query({ name: 'raw', text, values: [row, 5, `order:${client}:${row}`] })
        rows += 1
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  await Promise.all(connections.map((connection) => connection.end()))
  return rows / seconds
}

let posted = 0

/**
 * Orders per second that are posted for `ms` by two clients, at most 100 orders a commit: each with its transfer, deduplicated by
 * key, its lot, and its member's balance. The batches go to `shops` in turn; `members`: how many they belong to in all.
 */
export async function measurePosting(
  shops: readonly number[],
  ms: number,
  members: number,
): Promise<{ perSecond: number; orders: number }> {
  const perShop = Math.ceil(members / shops.length)
  const all = Array.from({ length: perShop }, (_, member) => gid(member))
  for (const shopId of shops) await openAccounts(shopId, all)
  let batches = 0
  let orders = 0
  const startedAt = performance.now()
  const lifetimes = new Map(shops.map((shopId) => [shopId, new Map<string, number>()]))
  await Promise.all(
    [0, 1].map(async () => {
      while (performance.now() - startedAt < ms) {
        const batch = Array.from({ length: 100 }, () => (posted += 1)).map((order) => ({
          order: `gid://shopify/Order/${6_000_000_000_000 + order}`,
          member: all[order % perShop]!,
        }))
        const shopId = shops[(batches += 1) % shops.length]!
        const lifetime = lifetimes.get(shopId)!
        const totals = new Map<string, { member: string; deficit: number; lifetimeEarned: number }>()
        for (const { member } of batch) {
          const earned = (lifetime.get(member) ?? 0) + 50
          lifetime.set(member, earned)
          totals.set(member, { member, deficit: 0, lifetimeEarned: earned })
        }
        const posting = {
          transfers: batch.map(({ order, member }): Transfer => ({
            key: `order:${order}@2026-08-01T12:00:00.000Z`,
            from: 'shop.issued',
            to: `member:${member}.pending`,
            amount: 50,
            eventAt: AT,
            reason: 'order',
            source: order,
            reverses: null,
          })),
          lots: batch.map(({ order, member }) => ({
            member,
            key: order,
            earnedAt: AT,
            releaseAt: AT + 14 * DAY_MS,
            expiresAt: AT + 365 * DAY_MS,
            pending: 50,
            available: 0,
            isNew: true,
          })),
          totals: [...totals.values()],
        }
        await inTransaction((client) => postToLedger(shopId, posting, AT, client))
        orders += batch.length
      }
    }),
  )
  return { perSecond: orders / ((performance.now() - startedAt) / 1000), orders }
}

/** Empties what the rounds before left, so that all rounds write into tables of the same size. */
export async function clearLedger(): Promise<void> {
  await pool.query('alter table ledger_transfers disable trigger user')
  await pool.query('truncate ledger_transfers, lots, balances')
  await pool.query('alter table ledger_transfers enable trigger user')
}
