/**
 * A JSON document that is written in pieces, all or nothing: into a temporary file that takes its name at the end, or to standard output. A *spool* keeps a
 * list on disk that is longer than memory should hold.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const FLUSH_CHARACTERS = 1 << 16

/** Why a file that was asked for cannot be written: a command prints it and exits with 2. */
export class OutputProblem extends Error {}

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

/**
 * Runs `write` with a sink to the file, which appears under its name only if all went well; without a file the sink is standard output. Throws
 * {@link OutputProblem} where the file cannot be written.
 */
export async function writeOutput(
  file: string | undefined,
  write: (sink: Sink) => Promise<void> | void,
): Promise<void> {
  if (file === undefined) return write(standardOutput)
  const orRefuse = <Result>(act: () => Result): Result => {
    try {
      return act()
    } catch (error) {
      throw new OutputProblem(`--out: ${file} cannot be written: ${(error as Error).message}`)
    }
  }
  // A device or a pipe has no name to take over, and a link goes on to lead where it led.
  const isPlain = !existsSync(file) || statSync(file).isFile()
  const place = isPlain && existsSync(file) ? realpathSync(file) : file
  const target = isPlain ? `${place}.${process.pid}.tmp` : place
  const opened = orRefuse(() => openSync(target, 'w'))
  let pieces = ''
  const flush = () => {
    orRefuse(() => writeWhole(opened, pieces))
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
    if (isPlain) orRefuse(() => renameSync(target, place))
  } catch (error) {
    if (isPlain) rmSync(target, { force: true })
    throw error
  }
}

/** True where the reader of our output has closed the pipe, as in `npm run simulate … | head`: no failure of ours. */
export function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE'
}

/** For a command that writes to standard output: a closed pipe is told where the write was asked for, and the stream need not tell it again. */
export function forgiveClosedPipe(): void {
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error
  })
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
