/** Published versions of the program, as the admin reads them. Publishing is in programs.server.ts. Reads only. */
import { pool } from '#app/db/client.server.ts'
import type { ProgramDocument } from '#app/loyalty/program.ts'

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
