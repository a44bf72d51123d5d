import { codeOf } from '#app/db/errors.server.ts'

/** Says on stderr what somebody should look at, in one line. `what` names things by their ids, never people. */
export function logError(what: string, error: unknown): void {
  process.stderr.write(`error: ${what}: ${describeError(error)}\n`)
}

/**
 * What may be kept of an error: its name and message where it is ours (`TypeError: …`), its name and code where it is the database's
 * (`error 23505`). Those of the database, of Prisma and of whatever reads text (SyntaxError) hold values, and so people, in their messages.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const holdsValues = codeOf(error) !== null || error.name === 'SyntaxError' || error.name.startsWith('Prisma')
  if (holdsValues) return nameError(error)
  return `${error.name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`
}

/** An error's name and its code, where it has one: `error 23505`. For doors, where any message may hold what was sent. */
export function nameError(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error
  return [name, codeOf(error) ?? []].flat().join(' ')
}
