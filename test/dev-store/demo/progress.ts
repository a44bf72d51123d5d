/** A line on the terminal that says how far long work is and how long it will still take. */

const WIDTH = 30
const REDRAW_MS = 100

export type Progress = { to: (done: number, total: number) => void; end: () => void }

/**
 * Shows `label`, a bar, the share done and an estimate of the time left, redrawn in place. Where the output is no
 * terminal (a log file, CI) it writes a line at each tenth instead. The estimate is the time so far, scaled: the work
 * behind each step is much alike.
 */
export function showProgress(label: string, out: NodeJS.WriteStream = process.stdout): Progress {
  const started = performance.now()
  let drawnAt = -Infinity
  let tenth = 0
  const line = (done: number, total: number) => {
    const share = total === 0 ? 1 : done / total
    const secondsLeft = share > 0 ? ((performance.now() - started) / 1000) * (1 / share - 1) : NaN
    const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░')
    return `${label} ${bar} ${Math.floor(share * 100)} %  ${done} of ${total}${timeLeft(secondsLeft)}`
  }
  return {
    to(done, total) {
      if (out.isTTY) {
        if (performance.now() - drawnAt < REDRAW_MS && done < total) return
        drawnAt = performance.now()
        out.write(`\r\x1b[2K${line(done, total)}`)
      } else if (Math.floor((done / total) * 10) > tenth) {
        tenth = Math.floor((done / total) * 10)
        out.write(`${line(done, total)}\n`)
      }
    },
    end() {
      if (out.isTTY) out.write('\n')
    },
  }
}

function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return ''
  if (seconds < 1) return ''
  return seconds < 60 ? `  about ${Math.ceil(seconds)} s left` : `  about ${Math.ceil(seconds / 60)} min left`
}
