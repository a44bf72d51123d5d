// Imports: files of members and balances from other apps, line by line (loyalty/imports.ts). What a line says names a person, so it is kept
// only until the line was given, and of lines that could not be used for some days, for the merchant to mend them.
import { booleans, numbers, texts } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'
import type { ImportMapping } from '#app/loyalty/import-columns.ts'
import type { GivenLine, ImportLine, LineProblem, ReadyLine } from '#app/loyalty/imports.ts'

/**
 * How far an import is. At rest, waiting for the merchant: `matching` (columns), `checked`, `done`, `undone`, `discarded`. In work: `uploading`, and
 * by jobs/import-members `checking`, `applying`, `undoing`.
 */
export type ImportState =
  'uploading' | 'matching' | 'checking' | 'checked' | 'applying' | 'done' | 'undoing' | 'undone' | 'discarded'

/** One import; instants in epoch milliseconds. */
export type ImportRow = {
  id: string
  fileName: string
  source: string
  state: ImportState
  header: string[]
  mapping: ImportMapping
  /** Lines below the header. */
  lines: number
  error: string | null
  uploadedAt: number
  appliedAt: number | null
  finishedAt: number | null
}

type StoredImport = {
  id: string
  file_name: string
  source: string
  state: ImportState
  header: string[]
  mapping: ImportMapping
  lines: number
  error: string | null
  uploaded_at: Date
  applied_at: Date | null
  finished_at: Date | null
}
const COLUMNS = 'id, file_name, source, state, header, mapping, lines, error, uploaded_at, applied_at, finished_at'

/** Begins an import whose lines are about to come in; returns its id. */
export async function beginImport(
  shopId: number,
  { fileName, source, actor }: { fileName: string; source: string; actor: string },
  at: number,
): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into imports (shop_id, digest, file_name, source, state, header, mapping, actor, uploaded_at, updated_at)
     values ($1, '', $2, $3, 'uploading', '[]', '{}', $4, $5, $5) returning id`,
    [shopId, fileName, source, actor, new Date(at)],
  )
  return rows[0]!.id
}

/** Keeps lines of an import as they stand in the file. */
export async function storeLines(
  shopId: number,
  id: string,
  lines: readonly { line: number; fields: readonly string[] }[],
): Promise<void> {
  if (lines.length === 0) return
  await pool.query(
    `insert into import_lines (shop_id, import_id, line, fields)
     select $1, $2, line, fields from unnest($3::bigint[], $4::text[]) as g (line, fields)`,
    [shopId, id, numbers(lines.map(({ line }) => line)), texts(lines.map(({ fields }) => JSON.stringify(fields)))],
  )
}

/**
 * Notes that a file is whole. Where the shop has the very same file already, and it was not undone or thrown away, this one goes
 * again and the id of the earlier one comes back.
 */
export async function finishUpload(
  shopId: number,
  id: string,
  file: { digest: string; header: string[]; mapping: ImportMapping; lines: number; sure: boolean },
  at: number,
): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from imports where shop_id = $1 and digest = $2 and id <> $3
        and state not in ('uploading', 'undone', 'discarded') order by id desc limit 1`,
    [shopId, file.digest, id],
  )
  if (rows[0]) {
    await deleteImport(shopId, id)
    return rows[0].id
  }
  await pool.query(
    `update imports set digest = $3, header = $4, mapping = $5, lines = $6, state = $7, updated_at = $8
      where shop_id = $1 and id = $2`,
    [
      shopId,
      id,
      file.digest,
      JSON.stringify(file.header),
      JSON.stringify(file.mapping),
      file.lines,
      file.sure ? 'checking' : 'matching',
      new Date(at),
    ],
  )
  return id
}

/** Takes away an import that never gave anything, with its lines. */
export async function deleteImport(shopId: number, id: string): Promise<void> {
  await pool.query('delete from imports where shop_id = $1 and id = $2', [shopId, id])
}

/** The shop's import of that id; null where it has none. */
export async function findImport(shopId: number, id: string): Promise<ImportRow | null> {
  if (!/^\d{1,18}$/.test(id)) return null
  const { rows } = await pool.query<StoredImport>(`select ${COLUMNS} from imports where shop_id = $1 and id = $2`, [
    shopId,
    id,
  ])
  return rows[0] ? toImport(rows[0]) : null
}

/** The import that is worked on next: the oldest in work, those that something holds up last. Null where nothing is to do. */
export async function findImportInWork(shopId: number): Promise<ImportRow | null> {
  const { rows } = await pool.query<StoredImport>(
    `select ${COLUMNS} from imports
      where shop_id = $1 and state in ('checking', 'applying', 'undoing') order by error is not null, id limit 1`,
    [shopId],
  )
  return rows[0] ? toImport(rows[0]) : null
}

/** An import in the list of all, with what it gave. */
export type ImportSummary = ImportRow & { given: number; points: number; takenBack: number }

/** The shop's newest imports with what they gave and what was taken back; those thrown away are left out. */
export async function listImports(shopId: number, limit = 50): Promise<ImportSummary[]> {
  const { rows } = await pool.query<StoredImport & { given: string; points: string; taken_back: string }>(
    `select ${COLUMNS}, g.given, g.points, g.taken_back from imports i, lateral (
       select count(*) as given, coalesce(sum(points), 0) as points, coalesce(sum(taken_back), 0) as taken_back
         from import_lines l where l.shop_id = $1 and l.import_id = i.id and l.state in ('given', 'back')) as g
      where i.shop_id = $1 and i.state not in ('uploading', 'discarded') order by i.id desc limit $2`,
    [shopId, limit],
  )
  return rows.map((row) => ({
    ...toImport(row),
    given: Number(row.given),
    points: Number(row.points),
    takenBack: Number(row.taken_back),
  }))
}

/** How many lines are how far, and what they come to. */
export type ImportCounts = {
  raw: number
  ready: number
  refused: number
  given: number
  back: number
  /** Of those ready, given or taken back: new members, and members before. */
  newMembers: number
  knownMembers: number
  /** Points of lines that are ready, that were given (also if taken back since), and that were taken back. */
  readyPoints: number
  givenPoints: number
  takenBack: number
}

/** Counts the lines of an import. */
export async function countImport(shopId: number, id: string): Promise<ImportCounts> {
  const { rows } = await pool.query<Record<string, string>>(
    `select count(*) filter (where state = 'raw') as raw, count(*) filter (where state = 'ready') as ready,
            count(*) filter (where state = 'refused') as refused, count(*) filter (where state = 'given') as given,
            count(*) filter (where state = 'back') as back,
            count(*) filter (where state in ('ready', 'given', 'back') and not known) as new_members,
            count(*) filter (where state in ('ready', 'given', 'back') and known) as known_members,
            coalesce(sum(points) filter (where state = 'ready'), 0) as ready_points,
            coalesce(sum(points) filter (where state in ('given', 'back')), 0) as given_points,
            coalesce(sum(taken_back), 0) as taken_back
       from import_lines where shop_id = $1 and import_id = $2`,
    [shopId, id],
  )
  const row = rows[0]!
  return {
    raw: Number(row.raw),
    ready: Number(row.ready),
    refused: Number(row.refused),
    given: Number(row.given),
    back: Number(row.back),
    newMembers: Number(row.new_members),
    knownMembers: Number(row.known_members),
    readyPoints: Number(row.ready_points),
    givenPoints: Number(row.given_points),
    takenBack: Number(row.taken_back),
  }
}

/** How many of an import's points are in members' balances now: what an undo would take back at most, debts filled left out. */
export async function countPointsLeft(shopId: number, id: string): Promise<number> {
  const { rows } = await pool.query<{ left: string }>(
    `select coalesce(sum(o.available), 0) as left
       from import_lines l
       left join member_aliases a on a.shop_id = $1 and a.alias_id = l.member_id
       join lots o on o.shop_id = $1 and o.member_id = coalesce(a.member_id, l.member_id)
                  and o.key = 'adjust:import:' || l.import_id || ':' || l.member_id
      where l.shop_id = $1 and l.import_id = $2 and l.state = 'given'`,
    [shopId, id],
  )
  return Number(rows[0]!.left)
}

/** A line that will be, or was, given. */
export type GivenRow = Pick<ImportLine, 'points' | 'tier' | 'birthday' | 'lastDay'> & {
  line: number
  customer: string
  known: boolean
}

/** The first lines of an import that can be used. */
export async function listUsable(shopId: number, id: string, limit: number): Promise<GivenRow[]> {
  const { rows } = await pool.query<StoredLine>(
    `select line, member_id, known, account_state, points, tier, birthday, last_day, filled from import_lines
      where shop_id = $1 and import_id = $2 and state in ('ready', 'given', 'back') order by line limit $3`,
    [shopId, id, limit],
  )
  return rows.map((row) => ({ ...toReady(row), line: row.line, known: row.known }))
}

/** A line that cannot be used, and why. `fields` is null once it was forgotten. */
export type RefusedLine = { line: number; fields: string[] | null; problems: LineProblem[] }

/** Lines of an import that cannot be used, in the file's order, those behind line `after`. */
export async function listRefused(shopId: number, id: string, limit: number, after = 0): Promise<RefusedLine[]> {
  const { rows } = await pool.query<{ line: number; fields: string | null; problems: LineProblem[] }>(
    `select line, fields, problems from import_lines
      where shop_id = $1 and import_id = $2 and state = 'refused' and line > $4 order by line limit $3`,
    [shopId, id, limit, after],
  )
  return rows.map((row) => ({ ...row, fields: row.fields === null ? null : (JSON.parse(row.fields) as string[]) }))
}

/** The fields of the first lines, as the merchant knows them, to tell columns apart by. */
export async function listSamples(shopId: number, id: string, limit: number): Promise<string[][]> {
  const { rows } = await pool.query<{ fields: string }>(
    `select fields from import_lines where shop_id = $1 and import_id = $2 and fields is not null order by line limit $3`,
    [shopId, id, limit],
  )
  return rows.map(({ fields }) => JSON.parse(fields) as string[])
}

/** Takes an import from one of these states to another; false where it is in none of them any more, and nothing has changed then. */
export async function moveImport(
  shopId: number,
  id: string,
  from: readonly ImportState[],
  to: ImportState,
  at: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update imports set state = $4, updated_at = $5, error = null,
            applied_at = case when $4 = 'applying' then $5::timestamptz else applied_at end,
            finished_at = case when $4 in ('done', 'undone') then $5::timestamptz else finished_at end
      where shop_id = $1 and id = $2 and state = any($3::text[])`,
    [shopId, id, from, to, new Date(at)],
  )
  return rowCount === 1
}

/** Has all lines checked anew, with other columns. False where the import is not at a state for that any more. */
export async function checkAnew(shopId: number, id: string, mapping: ImportMapping, at: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with changed as (
       update imports set state = 'checking', mapping = $3, updated_at = $4, error = null
        where shop_id = $1 and id = $2 and state in ('matching', 'checked') returning id
     ), anew as (
       update import_lines set state = 'raw', problems = '[]'
        where shop_id = $1 and import_id in (select id from changed) and fields is not null
     )
     select id from changed`,
    [shopId, id, JSON.stringify(mapping), new Date(at)],
  )
  return rowCount === 1
}

/** Notes what holds an import up, null once it goes on. */
export async function noteImportError(shopId: number, id: string, error: string | null): Promise<void> {
  await pool.query('update imports set error = $3 where shop_id = $1 and id = $2 and error is distinct from $3', [
    shopId,
    id,
    error,
  ])
}

/** Lines that nobody has looked at yet, in the file's order. */
export async function listRaw(
  shopId: number,
  id: string,
  limit: number,
): Promise<{ line: number; fields: string[] }[]> {
  const { rows } = await pool.query<{ line: number; fields: string }>(
    `select line, fields from import_lines
      where shop_id = $1 and import_id = $2 and state = 'raw' and fields is not null order by line limit $3`,
    [shopId, id, limit],
  )
  return rows.map(({ line, fields }) => ({ line, fields: JSON.parse(fields) as string[] }))
}

/** What became of a line that was looked at: ready for a customer, or what is wrong with it. */
export type CheckedLine = { line: number } & ({ ready: ReadyLine; known: boolean } | { problems: LineProblem[] })

/** Notes what became of lines. */
export async function saveChecked(shopId: number, id: string, lines: readonly CheckedLine[]): Promise<void> {
  if (lines.length === 0) return
  const ready = lines.map((line) => ('ready' in line ? line.ready : null))
  await pool.query(
    `update import_lines l
        set state = g.state, member_id = g.member_id, known = g.known, account_state = g.account_state, points = g.points,
            tier = g.tier, birthday = g.birthday, last_day = g.last_day, problems = g.problems::jsonb
       from unnest($3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::text[], $8::bigint[], $9::text[],
                   $10::text[], $11::text[], $12::text[])
         as g (line, state, member_id, known, account_state, points, tier, birthday, last_day, problems)
      where l.shop_id = $1 and l.import_id = $2 and l.line = g.line and l.state = 'raw'`,
    [
      shopId,
      id,
      numbers(lines.map(({ line }) => line)),
      texts(ready.map((line) => (line ? 'ready' : 'refused'))),
      numbers(ready.map((line) => line && numberOfGid(line.customer, 'Customer'))),
      booleans(lines.map((line) => 'known' in line && line.known)),
      texts(ready.map((line) => line?.accountState ?? null)),
      numbers(ready.map((line) => line?.points ?? 0)),
      texts(ready.map((line) => line?.tier ?? null)),
      texts(ready.map((line) => line?.birthday ?? null)),
      texts(ready.map((line) => line?.lastDay ?? null)),
      texts(lines.map((line) => JSON.stringify('problems' in line ? line.problems : []))),
    ],
  )
}

/** Which of these customers (gids) are members, and which of them asked to be forgotten. */
export async function findStandings(
  shopId: number,
  customers: readonly string[],
): Promise<Map<string, { erased: boolean }>> {
  const { rows } = await pool.query<{ id: string; erased: boolean }>(
    `select id, erased_at is not null as erased from members
      where shop_id = $1 and id = any($2::bigint[]) and (state <> '{}' or erased_at is not null)`,
    [shopId, numbers(customers.map((customer) => numberOfGid(customer, 'Customer')))],
  )
  return new Map(rows.map(({ id, erased }) => [toGid('Customer', id), { erased }]))
}

/** The lines of this import that are these customers' (gids) already. */
export async function findLinesOf(
  shopId: number,
  id: string,
  customers: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ member_id: string; line: number }>(
    `select member_id, min(line) as line from import_lines
      where shop_id = $1 and import_id = $2 and member_id = any($3::bigint[]) and state <> 'refused' group by member_id`,
    [shopId, id, numbers(customers.map((customer) => numberOfGid(customer, 'Customer')))],
  )
  return new Map(rows.map((row) => [toGid('Customer', row.member_id), row.line]))
}

/** The other file through which each of these customers (gids) was brought over from the same app and has not been taken back. */
export async function findBroughtBefore(
  shopId: number,
  { id, source }: Pick<ImportRow, 'id' | 'source'>,
  customers: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, { fileName: string }>> {
  const { rows } = await client.query<{ member_id: string; file_name: string }>(
    `select l.member_id, min(i.file_name) as file_name
       from import_lines l join imports i on i.shop_id = $1 and i.id = l.import_id
      where l.shop_id = $1 and l.member_id = any($4::bigint[]) and l.state = 'given' and i.id <> $2 and i.source = $3
      group by l.member_id`,
    [shopId, id, source, numbers(customers.map((customer) => numberOfGid(customer, 'Customer')))],
  )
  return new Map(rows.map((row) => [toGid('Customer', row.member_id), { fileName: row.file_name }]))
}

/** A line as it is kept. */
export type StoredLine = {
  line: number
  member_id: string
  known: boolean
  account_state: string | null
  points: string
  tier: string | null
  birthday: string | null
  last_day: string | null
  filled: string
}

/** Lines that are ready to be given, in the file's order, held until the transaction ends. */
export async function takeReady(
  shopId: number,
  id: string,
  limit: number,
  client: Queryable,
): Promise<(ReadyLine & { line: number })[]> {
  const rows = await takeLines(shopId, id, 'ready', limit, client)
  return rows.map((row) => ({ ...toReady(row), line: row.line }))
}

/** Lines that were given and not taken back, in the file's order, held until the transaction ends. */
export async function takeGiven(
  shopId: number,
  id: string,
  limit: number,
  client: Queryable,
): Promise<(GivenLine & { line: number })[]> {
  const rows = await takeLines(shopId, id, 'given', limit, client)
  return rows.map((row) => ({ ...toGiven(row), line: row.line }))
}

async function takeLines(
  shopId: number,
  id: string,
  state: 'ready' | 'given',
  limit: number,
  client: Queryable,
): Promise<StoredLine[]> {
  const { rows } = await client.query<StoredLine>(
    `select line, member_id, known, account_state, points, tier, birthday, last_day, filled from import_lines
      where shop_id = $1 and import_id = $2 and state = $3 order by line limit $4 for update`,
    [shopId, id, state, limit],
  )
  return rows
}

/** Notes of lines that their points were given, and forgets what stood in them; or that they could not be given after all. */
export async function saveGiven(
  shopId: number,
  id: string,
  lines: readonly { line: number; filled: number; problem: LineProblem | null }[],
  client: Queryable,
): Promise<void> {
  await client.query(
    `update import_lines l
        set state = case when g.problems = '[]' then 'given' else 'refused' end, filled = g.filled,
            fields = case when g.problems = '[]' then null else l.fields end,
            birthday = case when g.problems = '[]' then null else l.birthday end, problems = g.problems::jsonb
       from unnest($3::bigint[], $4::bigint[], $5::text[]) as g (line, filled, problems)
      where l.shop_id = $1 and l.import_id = $2 and l.line = g.line`,
    [
      shopId,
      id,
      numbers(lines.map(({ line }) => line)),
      numbers(lines.map(({ filled }) => filled)),
      texts(lines.map(({ problem }) => JSON.stringify(problem ? [problem] : []))),
    ],
  )
}

/** Notes of lines how many of their points were taken back. */
export async function saveTakenBack(
  shopId: number,
  id: string,
  lines: readonly { line: number; takenBack: number }[],
  client: Queryable,
): Promise<void> {
  await client.query(
    `update import_lines l set state = 'back', taken_back = g.taken_back
       from unnest($3::bigint[], $4::bigint[]) as g (line, taken_back)
      where l.shop_id = $1 and l.import_id = $2 and l.line = g.line`,
    [shopId, id, numbers(lines.map(({ line }) => line)), numbers(lines.map(({ takenBack }) => takenBack))],
  )
}

/** Where imports come from ("Smile.io"), by their id. */
export async function findImportSources(shopId: number, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const { rows } = await pool.query<{ id: string; source: string }>(
    'select id, source from imports where shop_id = $1 and id = any($2::bigint[])',
    [shopId, numbers(ids)],
  )
  return new Map(rows.map(({ id, source }) => [id, source]))
}

/**
 * Forgets what stood in the files of imports that nobody has touched since the instant: lines that could not be used, and files that were never
 * brought in at all, which count as thrown away. Uploads that broke off go.
 */
export async function forgetOldImports(shopId: number, before: number): Promise<void> {
  const values = [shopId, new Date(before)]
  await pool.query(`delete from imports where shop_id = $1 and updated_at < $2 and state = 'uploading'`, values)
  await pool.query(
    `update imports set state = 'discarded' where shop_id = $1 and updated_at < $2 and state in ('matching', 'checked')`,
    values,
  )
  await pool.query(
    `update import_lines l
        set fields = null,
            problems = coalesce((select jsonb_agg(problem || '{"found": "…"}') from jsonb_array_elements(l.problems) as problem), '[]')
       from imports i
      where l.shop_id = $1 and l.fields is not null and i.shop_id = $1 and i.id = l.import_id and i.updated_at < $2
        and i.state in ('done', 'undone', 'discarded')`,
    values,
  )
}

/** Throws an import away before it gave anything: its lines are forgotten. False where it is past that. */
export async function discardImport(shopId: number, id: string, at: number): Promise<boolean> {
  const moved = await moveImport(shopId, id, ['matching', 'checking', 'checked'], 'discarded', at)
  if (moved) await pool.query('delete from import_lines where shop_id = $1 and import_id = $2', [shopId, id])
  return moved
}

/**
 * Forgets what files say of customers who are erased: by number (of the gid), and by the e-mail address that Shopify's request names. What was
 * not given yet will not be.
 */
export async function forgetInImports(
  shopId: number,
  { customers, emails }: { customers: readonly string[]; emails: readonly string[] },
  client: Queryable,
): Promise<void> {
  if (customers.length === 0 && emails.length === 0) return
  await client.query(
    `update import_lines
        set fields = null, birthday = null, tier = null,
            problems = case when state in ('raw', 'ready', 'refused') then $4::jsonb else problems end,
            state = case when state in ('raw', 'ready') then 'refused' else state end
      where shop_id = $1 and (member_id = any($2::bigint[])
         or exists (select 1 from unnest($3::text[]) as e (email), json_array_elements_text(fields::json) as field
                     where lower(trim(field)) = lower(e.email)))`,
    [
      shopId,
      numbers(customers),
      texts(emails),
      JSON.stringify([{ column: 'the whole line', found: 'a customer who asked to be forgotten', allowed: 'others' }]),
    ],
  )
}

/** Takes away all imports of a shop that is erased. What they gave stands in the ledger. */
export async function deleteImportsOf(shopId: number, client: Queryable): Promise<void> {
  await client.query('delete from import_lines where shop_id = $1', [shopId])
  await client.query('delete from imports where shop_id = $1', [shopId])
}

function toImport(row: StoredImport): ImportRow {
  return {
    id: row.id,
    fileName: row.file_name,
    source: row.source,
    state: row.state,
    header: row.header,
    mapping: row.mapping,
    lines: row.lines,
    error: row.error,
    uploadedAt: row.uploaded_at.getTime(),
    appliedAt: row.applied_at?.getTime() ?? null,
    finishedAt: row.finished_at?.getTime() ?? null,
  }
}

/** A line that is ready, as the rules have it. */
export function toReady(row: StoredLine): ReadyLine {
  return {
    customer: toGid('Customer', row.member_id),
    accountState: row.account_state,
    points: Number(row.points),
    tier: row.tier,
    birthday: row.birthday,
    lastDay: row.last_day,
  }
}

/** A line that was given, as the rules have it. */
export function toGiven(row: StoredLine): GivenLine {
  return { customer: toGid('Customer', row.member_id), points: Number(row.points), filled: Number(row.filled) }
}
