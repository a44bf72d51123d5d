/**
 * A JSON document that is written in pieces, all or nothing: into a temporary file that takes its name at the end, or to standard output. A *spool* keeps a
 * list on disk that is longer than memory should hold.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const FLUSH_CHARACTERS = 1 << 16

/** Takes text in pieces. */
export type Sink = { write(text: string): Promise<void> | void }

/** Entries of one JSON list, kept on disk until the document gets to them. */
export class Spool {
  count = 0
  private readonly file: number
  private pieces = ''

  constructor() {
    const name = path.join(tmpdir(), `perennial-${process.pid}-${Spool.made++}.spool`)
    this.file = openSync(name, 'wx+', 0o600)
    // The name is removed at once: the file lives on until it is closed, at the latest with the process.
    rmSync(name)
  }

  private static made = 0

  add(entry: unknown): void {
    this.pieces += `${this.count === 0 ? '\n    ' : ',\n    '}${JSON.stringify(entry)}`
    this.count++
    if (this.pieces.length > FLUSH_CHARACTERS) this.flush()
  }

  async copyTo(sink: Sink): Promise<void> {
    this.flush()
    const buffer = Buffer.allocUnsafe(1 << 20)
    const decoder = new TextDecoder()
    for (let position = 0; ;) {
      const read = readSync(this.file, buffer, 0, buffer.length, position)
      if (read === 0) break
      position += read
      await sink.write(decoder.decode(buffer.subarray(0, read), { stream: true }))
    }
  }

  close(): void {
    closeSync(this.file)
  }

  private flush(): void {
    writeWhole(this.file, this.pieces)
    this.pieces = ''
  }
}

/** Runs `write` with a sink to the file, which appears under its name only if all went well; without a file the sink is standard output. */
export async function writeOutput(file: string | undefined, write: (sink: Sink) => Promise<void>): Promise<void> {
  if (file === undefined) return write(standardOutput)
  // A device or a pipe has no name to take over.
  const isPlain = !existsSync(file) || statSync(file).isFile()
  const target = isPlain ? `${file}.${process.pid}.tmp` : file
  const opened = openSync(target, 'w')
  let pieces = ''
  const flush = () => {
    writeWhole(opened, pieces)
    pieces = ''
  }
  try {
    await write({
      write: (text) => {
        pieces += text
        if (pieces.length > FLUSH_CHARACTERS) flush()
      },
    })
    flush()
    closeSync(opened)
    if (isPlain) renameSync(target, file)
  } catch (error) {
    if (isPlain) rmSync(target, { force: true })
    throw error
  }
}

const standardOutput: Sink = {
  write: (text) =>
    new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
    }),
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
}
