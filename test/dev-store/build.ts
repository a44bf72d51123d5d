import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')
const STAMP = path.join(ROOT, 'build', 'sources.sha256')

/**
 * Builds the admin pages if a source has changed since the last build; true when it had to. A later start so costs a
 * look at the files' times instead of ten seconds. Throws with the build's own output when it fails.
 */
export async function buildIfStale(): Promise<boolean> {
  const fingerprint = fingerprintSources()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint) return false
  await run('remix', ['vite:build', '--logLevel', 'warn'])
  writeFileSync(STAMP, fingerprint)
  return true
}

/** Changes when a file that goes into the build is changed, added or removed. */
function fingerprintSources(): string {
  const files = globSync(['app/**/*.{ts,tsx,css}', 'vite.config.ts', 'package-lock.json'], { cwd: ROOT }).sort()
  const hash = createHash('sha256')
  for (const file of files) {
    const { mtimeMs, size } = statSync(path.join(ROOT, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

function run(program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(ROOT, 'node_modules', '.bin', program), args, { cwd: ROOT })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk))
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk))
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}\n${printed}`))))
  })
}
