/** A progress bar on a terminal, with an estimate of the time left; nothing where standard error is none. */

const WIDTH = 30
const EVERY_MS = 100

/** `show` may be called as often as one likes; it writes ten times a second at most. `clear` takes the bar away. */
export type Progress = { show(done: number, all: number): void; clear(): void }

/** A bar with a label in front: `createProgress("Playing")`. `clock` gives milliseconds, for tests. */
export function createProgress(
  label: string,
  stream: NodeJS.WriteStream = process.stderr,
  clock = () => performance.now(),
): Progress {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} }
  const startedAt = clock()
  let shownAt = -Infinity
  let width = 0
  return {
    show: (done, all) => {
      const at = clock()
      if (at - shownAt < EVERY_MS) return
      shownAt = at
      const share = all === 0 ? 1 : Math.min(1, done / all)
      const filled = Math.round(share * WIDTH)
      const bar = `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}]`
      const line = `${label} ${bar} ${Math.floor(share * 100)} %${describeTimeLeft(share, at - startedAt)}`
      stream.write(`\r${line.padEnd(width)}`)
      width = line.length
    },
    clear: () => {
      if (width > 0) stream.write(`\r${' '.repeat(width)}\r`)
    },
  }
}

/** The time so far, scaled: what is left is taken to be like what is done. Empty while nothing can be said. */
function describeTimeLeft(share: number, elapsedMs: number): string {
  if (share === 0) return ''
  const seconds = Math.ceil((elapsedMs / 1000) * (1 / share - 1))
  if (seconds < 1) return ''
  return seconds < 60 ? `, about ${seconds} s left` : `, about ${Math.ceil(seconds / 60)} min left`
}
