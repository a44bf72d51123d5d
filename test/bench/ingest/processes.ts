// What processes use, read from /proc (Linux): 0 where it does not say.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { median } from './server.ts'

const TICK_US = 10_000

/** CPU time that a process has used, µs, all its threads together; with `ended`, that of its children that have gone, too. */
export function readCpuUs(pid: number, { ended = false }: { ended?: boolean } = {}): number {
  const fields = readStat(pid)
  const ticks = (place: number) => Number(fields[place] ?? 0)
  return (ticks(11) + ticks(12) + (ended ? ticks(13) + ticks(14) : 0)) * TICK_US
}

/** What of its memory is in RAM, MB. */
export function readMemoryMb(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)
  } catch {
    return 0
  }
}

/** CPU time that the PostgreSQL of this home has used, µs, its connections and helpers included. */
export function readPostgresCpuUs(home: string): number {
  const postmaster = Number(readFileSync(path.join(home, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => Number(readStat(pid)[1]) === postmaster)
  return children.reduce((sum, pid) => sum + readCpuUs(pid), readCpuUs(postmaster, { ended: true }))
}

/** The fields of /proc/PID/stat behind the name: state, parent, … */
function readStat(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  } catch {
    return []
  }
}

/** The memory of a process over a run, MB: at the end of each tenth of it, and whether it kept growing. */
export type MemoryCourse = { tenths: number[]; secondQuarter: number; lastQuarter: number; flat: boolean }

/**
 * Looks at the memory of a process every so often until `end` is called. It counts as flat where the median of the last quarter of the
 * run is at most a tenth above that of the second quarter: in the first, caches fill and code is compiled.
 */
export function watchMemory(pid: number, everyMs = 250): { end: () => MemoryCourse } {
  const samples = [readMemoryMb(pid)]
  const timer = setInterval(() => samples.push(readMemoryMb(pid)), everyMs)
  return {
    end: () => {
      clearInterval(timer)
      const part = (from: number, to: number) =>
        samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to))
      const [secondQuarter, lastQuarter] = [median(part(0.25, 0.5)), median(part(0.75, 1))]
      const tenths = Array.from({ length: 10 }, (_, tenth) => part(tenth / 10, (tenth + 1) / 10).at(-1)!)
      return { tenths, secondQuarter, lastQuarter, flat: lastQuarter <= 1.1 * secondQuarter }
    },
  }
}
