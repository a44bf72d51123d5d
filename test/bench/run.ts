/**
 * `npm run bench -- NAME`: runs test/bench/NAME.ts and prints one JSON line per figure. A bench is a file in this folder whose one function named
 * `bench…` is given `print` and the arguments after its name.
 */
import { readdirSync } from 'node:fs'

type Print = (figure: Record<string, unknown>) => void
type Bench = (print: Print, args: readonly string[]) => void | Promise<void>

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort()

const HELP = `Measures the project, one JSON line per figure.

  npm run bench -- NAME [arguments of that bench]

Benches: ${names.join(', ')}
`

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === '--help' || name === undefined) {
    process.stdout.write(HELP)
    return name === undefined ? 2 : 0
  }
  if (!names.includes(name)) {
    process.stderr.write(`there is no bench "${name}": there are ${names.join(', ')}\n`)
    return 2
  }
  const module = (await import(`./${name}.ts`)) as Record<string, unknown>
  const bench = Object.entries(module).find(
    ([key, value]) => key.startsWith('bench') && typeof value === 'function',
  )?.[1]
  if (!bench) throw new Error(`test/bench/${name}.ts exports no function named bench…`)
  await (bench as Bench)((figure) => process.stdout.write(`${JSON.stringify(figure)}\n`), rest)
  return 0
}

process.exitCode = await main(process.argv.slice(2))
