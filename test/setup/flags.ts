import { readFileSync } from 'node:fs'
import path from 'node:path'

const PACKAGE = path.resolve(import.meta.dirname, '../../package.json')

/** The flags with which a script of package.json starts Node, so that whoever starts the same file has the heap that it has in use. */
export function flagsOf(script: 'serve' | 'worker'): string[] {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: Record<string, string> }
  return scripts[script]!.split(' ').filter((argument) => argument.startsWith('--'))
}
