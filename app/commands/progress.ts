/** A progress bar on a terminal; nothing where standard error is none. */

const WIDTH = 30
const EVERY_MS = 100

/** `show` may be called as often as one likes; it writes ten times a second at most. `clear` takes the bar away. */
export type Progress = { show(done: number, all: number): void; clear(): void }

/** A bar with a label in front: `createProgress("Playing")`. */
export function createProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} }
  let shownAt = -Infinity
  return {
    show: (done, all) => {
      const at = performance.now()
      if (at - shownAt < EVERY_MS) return
      shownAt = at
      const share = all === 0 ? 1 : Math.min(1, done / all)
      const filled = Math.round(share * WIDTH)
      stream.write(`\r${label} [${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${Math.floor(share * 100)} %`)
    },
    clear: () => {
      if (shownAt > -Infinity) stream.write(`\r${' '.repeat(label.length + WIDTH + 9)}\r`)
    },
  }
}
