import { codeOf } from '#app/db/errors.server.ts'

/** Says on stderr what somebody should look at, in one line. `what` names things by their ids, never people. */
export function logError(what: string, error: unknown): void {
  process.stderr.write(`error: ${what}: ${describeError(error)}\n`)
}

/**
 * What may be kept of an error: its name and message where it is ours (`TypeError: …`); where it is the database's its name and code, and the table and
 * constraint that refused (`error 23505 (lots, lots_pkey)`). The messages of the database, of Prisma and of whatever reads text (SyntaxError) hold values,
 * and so people.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const holdsValues = codeOf(error) !== null || error.name === 'SyntaxError' || error.name.startsWith('Prisma')
  if (!holdsValues) return `${error.name}: ${error.message.replace(/\s+/g, ' ').slice(0, LENGTH_MAX)}`
  // As PostgreSQL names them (protocol, "Error and Notice Message Fields"); they are ours, and name no data.
  const { table, constraint } = error as { table?: string; constraint?: string }
  const places = [table, constraint].filter((place) => place !== undefined)
  return nameError(error) + (places.length > 0 ? ` (${places.join(', ')})` : '')
}

/** What inbox and outbox keep of an error; our own are far shorter. */
const LENGTH_MAX = 1_000

/** An error's name and its code, where it has one: `error 23505`. For doors, where any message may hold what was sent. */
export function nameError(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error
  return [name, codeOf(error) ?? []].flat().join(' ')
}
