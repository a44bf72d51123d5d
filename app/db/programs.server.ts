import { isDeepStrictEqual } from 'node:util'
import { inTransaction, pool, type Queryable } from '#app/db/client.server.ts'
import { moveOnAllMembersAt } from '#app/db/members.server.ts'
import { enqueueEffects } from '#app/db/outbox.server.ts'
import { noteWorkDue } from '#app/db/work-due.server.ts'
import { FOREVER, listStops, withStops, type CampaignHistory } from '#app/loyalty/campaigns.ts'
import type { Programs, ProgramVersion } from '#app/loyalty/engine.ts'
import { parseAcceptedProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import type { Program } from '#app/loyalty/program.ts'

/**
 * Versions never change once published, so what they say is read once per process. Bounded, because a process may serve
 * many shops: the version used longest ago goes first.
 */
const READ_VERSIONS = new Map<string, Program>()
const READ_VERSIONS_KEPT = 2_000

/**
 * All versions of the shop's program as the engine takes them, or null where nothing was published yet: then messages
 * wait in the inbox until something is. Campaigns that were paused or ended before their time come with these stops, in every version:
 * whoever counts points with them needs to know no more. `confirmCodes` is on: here Shopify has the last word about a code.
 */
export async function loadPrograms(shopId: number, client: Queryable = pool): Promise<Programs | null> {
  const { rows } = await client.query<{
    version: number
    effective_at: Date
    settings: { historyEarns?: boolean }
    stopped: (CampaignHistory & { id: string })[] | null
  }>({
    name: 'load-programs',
    text: `select p.version, p.effective_at, s.settings, (
              select json_agg(json_build_object('id', c.id, 'pauses', c.pauses,
                       'endedAt', (extract(epoch from c.ended_at) * 1000)::bigint,
                       'pausedAt', (extract(epoch from c.paused_at) * 1000)::bigint))
                from campaigns c where c.shop_id = $1
                 and (c.ended_at is not null or c.paused_at is not null or c.pauses <> '[]')
            ) as stopped
            from programs p join shops s on s.id = p.shop_id
            where p.shop_id = $1 order by p.effective_at, p.version`,
    values: [shopId],
  })
  if (rows.length === 0) return null
  const stops = new Map((rows[0]!.stopped ?? []).map(({ id, ...history }) => [id, listStops(history, FOREVER)]))
  const versions: ProgramVersion[] = []
  for (const { version, effective_at } of rows) {
    versions.push({
      number: version,
      from: effective_at.getTime(),
      program: withStops(await readVersion(shopId, version, client), stops),
    })
  }
  return { versions, historyEarns: rows[0]!.settings.historyEarns === true, confirmCodes: true }
}

async function readVersion(shopId: number, version: number, client: Queryable): Promise<Program> {
  const cacheKey = `${process.env.DATABASE_URL}/${shopId}/${version}`
  const known = READ_VERSIONS.get(cacheKey)
  if (known) return known
  const { rows } = await client.query<{ document: unknown }>(
    'select document from programs where shop_id = $1 and version = $2',
    [shopId, version],
  )
  const parsed = parseAcceptedProgram(rows[0]?.document)
  if (!parsed.ok)
    throw new Error(`Version ${version} of shop ${shopId}'s program cannot be read: ${parsed.problems[0]?.message}`)
  const oldest = READ_VERSIONS.keys().next()
  if (READ_VERSIONS.size >= READ_VERSIONS_KEPT && !oldest.done) READ_VERSIONS.delete(oldest.value)
  READ_VERSIONS.set(cacheKey, parsed.program)
  return parsed.program
}

/**
 * Publishes a document as the next version, in force from `effectiveAt`, and returns its number. The document must have
 * come through `parseProgram`. Two who publish at the same moment get two numbers. Members to whom it can do something by
 * itself are due when it comes into force, those too who never do anything again.
 */
export async function publishProgram(
  shopId: number,
  document: ProgramDocument,
  publishing: { effectiveAt: number; at: number; actor?: string; note?: string },
  client?: Queryable,
): Promise<number> {
  if (!client) return inTransaction((client) => publishProgram(shopId, document, publishing, client))
  const { effectiveAt, at, actor, note } = publishing
  const { rows } = await client.query<{ version: number }>(
    `with shop as materialized (select id from shops where id = $1 for update)
     insert into programs (shop_id, version, document, effective_at, created_at, created_by, note)
     select $1, coalesce((select max(version) from programs where shop_id = $1), 0) + 1, $2, $3, $4, $5, $6 from shop
     returning version`,
    [shopId, JSON.stringify(document), new Date(effectiveAt), new Date(at), actor ?? null, note ?? null],
  )
  if (!rows[0]) throw new Error(`There is no shop ${shopId}.`)
  const { version } = rows[0]
  await enqueueProgramEffects(shopId, at, { dueAt: Math.max(at, effectiveAt) }, client)
  const before = await findVersionBefore(shopId, { version, effectiveAt }, client)
  if (before && !isDeepStrictEqual(movedByTime(before), movedByTime(document))) {
    await moveOnAllMembersAt(shopId, effectiveAt, client)
    await noteWorkDue(shopId, effectiveAt, client)
  }
  return version
}

async function findVersionBefore(
  shopId: number,
  { version, effectiveAt }: { version: number; effectiveAt: number },
  client: Queryable,
): Promise<ProgramDocument | undefined> {
  const { rows } = await client.query<{ document: ProgramDocument }>(
    `select document from programs where shop_id = $1 and (effective_at, version) < ($2, $3)
      order by effective_at desc, version desc limit 1`,
    [shopId, new Date(effectiveAt), version],
  )
  return rows[0]?.document
}

/** What of a program makes something happen to members who do nothing: all else waits for their next order, event or wish. */
function movedByTime({ tiers, expiry, timezone, earning }: ProgramDocument) {
  return { tiers: tiers ?? null, expiry, timezone, birthdays: earning.some(({ on }) => on === 'birthday') }
}

/**
 * Puts down all that Shopify must hear of a program: what shoppers read of it, its discounts at checkout, codes for its rewards, and
 * every member's card in its words. When one is published, and after a reinstall, because what the app had written went with it.
 * Without a program nothing is put down.
 */
export async function enqueueProgramEffects(
  shopId: number,
  at: number,
  { dueAt = at }: { dueAt?: number } = {},
  client: Queryable = pool,
): Promise<void> {
  const { rows } = await client.query('select 1 from programs where shop_id = $1 limit 1', [shopId])
  if (rows.length === 0) return
  const kinds = ['program-card', 'function-discounts', 'fill-pools', 'all-member-cards']
  // Effects of one key become one, due at the earlier instant: what is for later would be done too early, and not again.
  const key = dueAt > at ? `program@${dueAt}` : 'program'
  await enqueueEffects(
    shopId,
    kinds.map((kind) => ({ kind, key, dueAt })),
    at,
    client,
  )
}

/** Whether orders placed before the first version earn by it. The merchant's choice; off until made. */
export async function setHistoryEarns(shopId: number, earns: boolean, client: Queryable = pool): Promise<void> {
  await client.query(
    `update shops set settings = settings || jsonb_build_object('historyEarns', $2::boolean) where id = $1`,
    [shopId, earns],
  )
}
