/** Published versions of the program as the admin reads them, and publishing on top of the one that was read. */
import { inTransaction, pool } from '#app/db/client.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'

/** One published version. Its document was checked when it was published and is never edited. */
export type PublishedVersion = {
  version: number
  document: ProgramDocument
  /** In force for orders placed from this instant on. */
  effectiveAt: number
  publishedBy: string | null
  note: string | null
}

/** The newest published version, null before the first. */
export async function findPublishedProgram(shopId: number): Promise<PublishedVersion | null> {
  const [version] = await readVersions(shopId, 'order by version desc limit 1')
  return version ?? null
}

/** The newest `size` versions older than `before` (all, when it is left out), newest first. */
export async function listProgramVersions(shopId: number, size: number, before?: number): Promise<PublishedVersion[]> {
  return readVersions(shopId, 'and ($2::int is null or version < $2) order by version desc limit $3', [
    before ?? null,
    size,
  ])
}

/** The documents of these versions, by number. Numbers the shop does not have are missing. */
export async function findProgramVersions(shopId: number, versions: number[]): Promise<Map<number, ProgramDocument>> {
  if (versions.length === 0) return new Map()
  const found = await readVersions(shopId, 'and version = any($2::int[])', [[...new Set(versions)]])
  return new Map(found.map(({ version, document }) => [version, document]))
}

/** The new version's number, or the number of the version that somebody else published meanwhile. */
export type PublishedOnTop = { ok: true; version: number } | { ok: false; reason: 'changed_meanwhile'; version: number }

/**
 * Publishes `document` as the next version, in force from the second of `at` on, if `basedOn` is still the newest (0: nothing published yet).
 * Otherwise nothing is written and the newest version's number comes back, so that nobody's work is overwritten unseen. The
 * document must have come through `parseProgram`.
 */
export async function publishOnTop(
  shopId: number,
  document: ProgramDocument,
  { basedOn, at, actor, note }: { basedOn: number; at: number; actor: string; note: string },
): Promise<PublishedOnTop> {
  return inTransaction(async (client) => {
    await client.query('select 1 from shops where id = $1 for update', [shopId])
    const { rows } = await client.query<{ version: number }>(
      'select coalesce(max(version), 0) as version from programs where shop_id = $1',
      [shopId],
    )
    const newest = rows[0]!.version
    if (newest !== basedOn) return { ok: false, reason: 'changed_meanwhile', version: newest }
    // Shopify's orders carry whole seconds: one placed in the second of publishing comes after it.
    const effectiveAt = at - (at % 1000)
    const version = await publishProgram(shopId, document, { effectiveAt, at, actor, note }, client)
    return { ok: true, version }
  })
}

async function readVersions(shopId: number, clause: string, values: unknown[] = []): Promise<PublishedVersion[]> {
  const { rows } = await pool.query<{
    version: number
    document: ProgramDocument
    effective_at: Date
    created_by: string | null
    note: string | null
  }>(`select version, document, effective_at, created_by, note from programs where shop_id = $1 ${clause}`, [
    shopId,
    ...values,
  ])
  return rows.map((row) => ({
    version: row.version,
    document: row.document,
    effectiveAt: row.effective_at.getTime(),
    publishedBy: row.created_by,
    note: row.note,
  }))
}
