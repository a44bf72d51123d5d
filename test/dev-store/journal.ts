/**
 * The dev store's memory on disk: a file of JSON lines, one line for each change that belongs together.
 *
 * A line is `[[table, key, record | null], …]`; null removes. Each is written in one call before the answer leaves, so
 * that `kill -9` loses nothing that was answered; a last line that broke off is dropped when the file is read.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

export type Change = [table: string, key: string, record: unknown]

const CHUNK_BYTES = 16 * 1024 * 1024

/** Calls `apply` for every change in the file, oldest first; returns the number of changes read. A torn tail is cut off. */
export function readJournal(file: string, apply: (change: Change) => void): number {
  if (!existsSync(file)) return 0
  const fd = openSync(file, 'r')
  let rest = Buffer.alloc(0)
  let consumed = 0
  let count = 0
  let torn = false
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      const length = readSync(fd, chunk, 0, CHUNK_BYTES, null)
      if (length === 0) break
      const buffer = Buffer.concat([rest, chunk.subarray(0, length)])
      let start = 0
      for (let end = buffer.indexOf(10, start); end !== -1; end = buffer.indexOf(10, start)) {
        count += applyLine(file, buffer.toString('utf8', start, end), consumed + start, apply)
        start = end + 1
      }
      consumed += start
      rest = Buffer.from(buffer.subarray(start))
    }
    torn = rest.length > 0
  } finally {
    closeSync(fd)
  }
  if (torn) truncateSync(file, consumed)
  return count
}

function applyLine(file: string, line: string, offset: number, apply: (change: Change) => void): number {
  let changes: Change[]
  try {
    changes = JSON.parse(line) as Change[]
  } catch (error) {
    throw new Error(
      `${file}: the line at byte ${offset} is not JSON (${String(error)}). Delete the file to start over.`,
    )
  }
  for (const change of changes) apply(change)
  return changes.length
}

/** An open journal: `append` writes one line at once. */
export type JournalWriter = { append: (changes: Change[]) => void; close: () => void }

/** Opens the file for appending, making its folder if need be. */
export function openJournal(file: string): JournalWriter {
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a')
  let open = true
  return {
    append: (changes) => {
      // The number of a closed file may belong to another by now.
      if (!open) throw new Error(`${file} is closed: the dev store was stopped.`)
      writeAll(fd, Buffer.from(JSON.stringify(changes) + '\n'))
    },
    close: () => {
      if (open) closeSync(fd)
      open = false
    },
  }
}

/** Replaces the file by one line per record, by way of a temporary file, so that a crash leaves the old or the new one. */
export function compactJournal(file: string, records: Iterable<Change>): void {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.new`
  const fd = openSync(temporary, 'w')
  let lines: string[] = []
  let size = 0
  for (const record of records) {
    const line = JSON.stringify([record])
    lines.push(line)
    size += line.length
    if (size > 4 * 1024 * 1024) {
      writeAll(fd, Buffer.from(lines.join('\n') + '\n'))
      lines = []
      size = 0
    }
  }
  if (lines.length > 0) writeAll(fd, Buffer.from(lines.join('\n') + '\n'))
  fsyncSync(fd)
  closeSync(fd)
  renameSync(temporary, file)
}

function writeAll(fd: number, bytes: Buffer): void {
  let written = 0
  while (written < bytes.length) written += writeSync(fd, bytes, written)
}
