import { askWithin, inTransaction, pool, prisma, type Database, type Queryable } from '#app/db/client.server.ts'
import { takeUpEffects } from '#app/db/outbox.server.ts'
import { enqueueProgramEffects } from '#app/db/programs.server.ts'

/** A shop that has, or once had, this app. `id` is ours and is the first argument of everything in `db/`. */
export type Shop = {
  id: number
  /** demo.myshopify.com */
  domain: string
  name: string
  /** ISO 4217 */
  currency: string
  /** IANA zone */
  timezone: string
  scopes: string[]
  installedAt: number | null
  /** Null while the app is installed. */
  uninstalledAt: number | null
  /** Orders changed before this instant have been read; null before the first reconciliation. */
  ordersReadUntil: number | null
}

type Row = NonNullable<Awaited<ReturnType<typeof prisma.shop.findUnique>>>

/** The shop with that domain, or null where the app was never installed. */
export async function findShop(domain: string, database: Database = prisma): Promise<Shop | null> {
  const row = await database.shop.findUnique({ where: { domain } })
  return row && toShop(row)
}

/** The shop with that id. Throws where there is none: ids come from our own tables. */
export async function requireShop(shopId: number, database: Database = prisma): Promise<Shop> {
  return toShop(await database.shop.findUniqueOrThrow({ where: { id: shopId } }))
}

/** All shops that have the app installed now, oldest first. For jobs, which find their work with it. */
export async function listInstalledShops(database: Database = prisma): Promise<Shop[]> {
  const rows = await database.shop.findMany({
    where: { installedAt: { not: null }, uninstalledAt: null },
    orderBy: { id: 'asc' },
  })
  return rows.map(toShop)
}

/** All shops that were ever heard of, oldest first. For commands. */
export async function listAllShops(database: Database = prisma): Promise<Shop[]> {
  return (await database.shop.findMany({ orderBy: { id: 'asc' } })).map(toShop)
}

/**
 * Notes that the app is installed and what Shopify says of the shop now; gives the shop back. Safe to repeat, and safe
 * after an uninstall: members and points of before are there again, unless Shopify asked for their erasure meanwhile, and what Shopify
 * must hear is put down anew in the same transaction.
 */
export async function installShop(
  domain: string,
  { name, currency, timezone }: { name: string; currency: string; timezone: string },
  at: number,
): Promise<Shop> {
  const id = await inTransaction(async (client) => {
    const instant = new Date(at)
    const { rows } = await client.query<{ id: number; has_app: boolean }>(
      `insert into shops (domain, name, currency, timezone, created_at) values ($1, $2, $3, $4, $5)
       on conflict (domain) do update set name = excluded.name, currency = excluded.currency, timezone = excluded.timezone
       returning id, installed_at is not null and uninstalled_at is null as has_app`,
      [domain, name, currency, timezone, instant],
    )
    const { id, has_app } = rows[0]!
    if (has_app) return id
    // What is there again need not be erased any more, neither now nor when the app is taken off another time.
    await client.query(
      `update shops set installed_at = $2, uninstalled_at = null, erased_at = null, settings = settings - 'erase' where id = $1`,
      [id, instant],
    )
    await enqueueProgramEffects(id, at, {}, client)
    await takeUpEffects(id, at, client)
    return id
  })
  return requireShop(id)
}

/**
 * The id of the shop with that domain, for news that Shopify signed: a webhook can come before the merchant has opened the
 * app for the first time, so a shop that was never heard of gets its row here and its news are kept. Each statement rejects after
 * `withinMs`, and gives up its connection.
 */
export async function hearOfShop(domain: string, at: number, withinMs: number): Promise<number> {
  const ask = (text: string, values: unknown[]) => askWithin<{ id: number }>(withinMs, { text, values })
  const known = await ask('select id from shops where domain = $1', [domain])
  if (known.rows[0]) return known.rows[0].id
  const made = await ask(
    `insert into shops (domain, created_at) values ($1, $2)
     on conflict (domain) do update set domain = excluded.domain returning id`,
    [domain, new Date(at)],
  )
  return made.rows[0]!.id
}

/** When Shopify last gave us a token for the shop: the app was installed there then, whatever older news say. */
const TOKEN_AT = `coalesce((settings ->> 'tokenAt')::bigint, 0)`
/** Whether a notice of $2 speaks of the installation that we know, and not of one before it. */
const SPEAKS_OF_NOW = `(installed_at is null or installed_at <= $2) and to_timestamp(${TOKEN_AT} / 1000.0) <= $2`

/** Notes that Shopify gave us a token for the shop at `at`. A shop that is not known yet has nothing that this could tell of. */
export async function noteToken(domain: string, at: number, client: Queryable = pool): Promise<void> {
  await client.query(
    `update shops set settings = settings || jsonb_build_object('tokenAt', greatest(${TOKEN_AT}, $2::bigint)) where domain = $1`,
    [domain, at],
  )
}

/**
 * Notes that the app was taken off the shop at `at`; returns what that means. `gone`: it has no app now. The sessions go, because Shopify takes
 * their tokens no more; the data stay until Shopify sends `shop/redact`, two days later. `back`: it got the app again before we heard that it had
 * gone, which a token that is younger than the notice tells; what the app had written at Shopify is gone. `known`: a notice from before a reinstall
 * that we know of comes too late and changes nothing.
 */
export async function closeShop(
  shopId: number,
  at: number,
  client: Queryable = pool,
): Promise<'gone' | 'back' | 'known'> {
  const { rows } = await client.query<{ domain: string }>(
    `update shops set uninstalled_at = coalesce(uninstalled_at, $2) where id = $1 and ${SPEAKS_OF_NOW} returning domain`,
    [shopId, new Date(at)],
  )
  if (rows[0]) {
    await client.query('delete from sessions where shop = $1', [rows[0].domain])
    return 'gone'
  }
  const { rowCount } = await client.query(
    `update shops set installed_at = to_timestamp(${TOKEN_AT} / 1000.0)
      where id = $1 and installed_at <= $2 and uninstalled_at is null`,
    [shopId, new Date(at)],
  )
  return rowCount === 1 ? 'back' : 'known'
}

/** Notes that Shopify asked at `at` for the shop's data to be erased. A shop that has come back since then is left alone. */
export async function markShopForErasure(shopId: number, at: number, client: Queryable = pool): Promise<void> {
  await client.query(
    `update shops set settings = settings || '{"erase": true}', uninstalled_at = coalesce(uninstalled_at, $2)
      where id = $1 and ${SPEAKS_OF_NOW}`,
    [shopId, new Date(at)],
  )
}

/** Shops that are marked for erasure and are not erased yet. */
export async function listShopsToErase(client: Queryable = pool): Promise<{ id: number; domain: string }[]> {
  const { rows } = await client.query<{ id: number; domain: string }>(
    `select id, domain from shops where settings ->> 'erase' = 'true' and uninstalled_at is not null and erased_at is null`,
  )
  return rows
}

/**
 * Whether the shop is still to be erased: it may have come back since it was listed. It cannot come back before the caller's transaction
 * ends.
 */
export async function isToBeErased(shopId: number, client: Queryable): Promise<boolean> {
  const { rows } = await client.query(
    `select from shops where id = $1 and settings ->> 'erase' = 'true' and uninstalled_at is not null for update`,
    [shopId],
  )
  return rows.length > 0
}

/** Notes that nothing personal is left of the shop: its sessions go, its name, and what was put together for it. */
export async function finishErasure(shopId: number, domain: string, at: number, client: Queryable): Promise<void> {
  await client.query('delete from sessions where shop = $1', [domain])
  await client.query(
    `update privacy_requests set done_at = $2, answer = null where shop_id = $1 and (done_at is null or answer is not null)`,
    [shopId, new Date(at)],
  )
  for (const table of ['feedback_answers', 'customer_list_members', 'customer_lists', 'campaign_audiences']) {
    await client.query(`delete from ${table} where shop_id = $1`, [shopId])
  }
  await client.query(
    `update shops set erased_at = $2, name = null, email = null, settings = settings - 'erase' where id = $1`,
    [shopId, new Date(at)],
  )
}

/** Notes the access scopes that the merchant had granted at `at`. What was noted of a later instant stays. */
export async function keepShopScopes(
  shopId: number,
  scopes: readonly string[],
  at: number,
  client: Queryable = pool,
): Promise<void> {
  await client.query(
    `update shops set scopes = $2, settings = settings || jsonb_build_object('scopesKnownAt', $3::bigint)
      where id = $1 and coalesce((settings ->> 'scopesKnownAt')::bigint, 0) <= $3`,
    [shopId, scopes.join(','), at],
  )
}

function toShop(row: Row): Shop {
  return {
    id: row.id,
    domain: row.domain,
    name: row.name ?? row.domain.replace('.myshopify.com', ''),
    currency: row.currency,
    timezone: row.timezone,
    scopes: row.scopes?.split(',').filter(Boolean) ?? [],
    installedAt: row.installedAt?.getTime() ?? null,
    uninstalledAt: row.uninstalledAt?.getTime() ?? null,
    ordersReadUntil: row.ordersReadUntil?.getTime() ?? null,
  }
}
