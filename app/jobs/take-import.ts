// Takes in a file of members as a stream: its lines are stored as they are, in slices, and nothing is decided yet. The size of the file and the
// number of its lines are bounded, whatever the browser says about them.
import { createHash } from 'node:crypto'
import { now } from '#app/clock.server.ts'
import { beginImport, deleteImport, finishUpload, storeLines } from '#app/db/imports.server.ts'
import { CsvFileError, readCsvRows } from '#app/jobs/csv-rows.ts'
import { wakeImports } from '#app/jobs/import-members.ts'
import { recogniseColumns } from '#app/loyalty/import-columns.ts'

/** The most bytes a file may have. */
export const IMPORT_BYTES_MAX = 20 * 1024 * 1024
/** The most lines a file may have below the first. */
export const IMPORT_LINES_MAX = 200_000
const COLUMNS_MAX = 100
const SLICE = 1_000

/** A file and who brings it: `source` is the app it comes from. */
export type ImportFile = { fileName: string; source: string; actor: string; bytes: AsyncIterable<Uint8Array> }

/** The import, which may be an earlier one of the very same file; or what is wrong with the file, as a sentence. */
export type TakenIn = { ok: true; id: string } | { ok: false; error: string }

/** Takes in a file. Where it turns out that it cannot be read, nothing of it is kept. `limits` are for tests. */
export async function takeImport(
  shopId: number,
  { bytes, ...file }: ImportFile,
  limits = { bytes: IMPORT_BYTES_MAX, lines: IMPORT_LINES_MAX },
): Promise<TakenIn> {
  const id = await beginImport(shopId, file, now())
  try {
    const hash = createHash('sha256')
    const { header, lines } = await keepLines(shopId, id, readCsvRows(measure(bytes, hash, limits.bytes)), limits.lines)
    const { mapping, sure } = recogniseColumns(header)
    const kept = { digest: hash.digest('hex'), header, mapping, lines, sure }
    const known = await finishUpload(shopId, id, kept, now())
    if (sure) await wakeImports(shopId)
    return { ok: true, id: known }
  } catch (error) {
    await deleteImport(shopId, id)
    if (error instanceof CsvFileError) return { ok: false, error: error.message }
    throw error
  }
}

async function* measure(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update: (chunk: Uint8Array) => unknown },
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > bytesMax) {
      const size = `${Math.round(bytesMax / 1024 / 1024)} MB`
      throw new CsvFileError(`This file is larger than ${size}. Part it into several files, each with the first line.`)
    }
    hash.update(chunk)
    yield chunk
  }
}

async function keepLines(
  shopId: number,
  id: string,
  rows: AsyncIterable<{ line: number; fields: string[] }>,
  linesMax: number,
): Promise<{ header: string[]; lines: number }> {
  let header: string[] | null = null
  let slice: { line: number; fields: string[] }[] = []
  let lines = 0
  for await (const row of rows) {
    if (header === null) {
      header = row.fields.map((name, place) => name.trim() || `Column ${place + 1}`)
      if (header.length > COLUMNS_MAX) throw new CsvFileError(`This file has more than ${COLUMNS_MAX} columns.`)
      continue
    }
    lines += 1
    if (lines > linesMax) {
      throw new CsvFileError(
        `This file has more than ${linesMax.toLocaleString('en')} lines. Part it into several files.`,
      )
    }
    slice.push(row)
    if (slice.length === SLICE) {
      await storeLines(shopId, id, slice)
      slice = []
    }
  }
  await storeLines(shopId, id, slice)
  if (header === null) throw new CsvFileError('This file is empty.')
  if (lines === 0) throw new CsvFileError('This file has only its first line, the names of the columns.')
  return { header, lines }
}
