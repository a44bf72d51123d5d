// What an error of the database means for whoever asked: wait, try again at once, or give this one up. SQLSTATE, the code that an error
// carries, is judged here and nowhere else (PostgreSQL manual, "Error Codes").

/** The connection broke or the server is going down (SQLSTATE classes 08, 53 and 57), which is the fault of nothing that was asked. */
export function isOutOfReach(error: unknown): boolean {
  if (/^(08|53|57|ECONN|EPIPE|ETIMEDOUT)/.test(codeOf(error) ?? '')) return true
  const { message } = (error ?? {}) as { message?: unknown }
  return (
    typeof message === 'string' &&
    /connection (terminated|timeout|ended|error)|not queryable|client (was|has been) closed|timeout exceeded when trying/i.test(
      message,
    )
  )
}

/** A row was there already, a deadlock, or a transaction that cannot be put in order with another: tried again, it goes through. */
export function isCollision(error: unknown): boolean {
  return ['23505', '40P01', '40001'].includes(codeOf(error) ?? '')
}

/** The database answered and did not like the data (SQLSTATE classes 22 and 23), so trying the rest makes sense. */
export function isRefusal(error: unknown): boolean {
  return /^2[23]/.test(codeOf(error) ?? '')
}

/** The database's own, whatever it is: it could not do it, where every other error says that the rules could not. */
export function isDatabases(error: unknown): boolean {
  return isOutOfReach(error) || codeOf(error) !== null
}

/** The error's code (`23505`, `ECONNREFUSED`), null where it has none. */
export function codeOf(error: unknown): string | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code !== 'string') return null
  // Citus copies the rows of an INSERT … SELECT to their node, and of what is refused there only the message comes back (multi_copy.c).
  const isThereAlready = code === 'XX000' && /^duplicate key value violates/.test(String(message))
  return isThereAlready ? '23505' : code
}

/** The claim lock was not to be had in time (SQLSTATE 55P03): nothing else waits with a limit. */
export function isClaimTaken(error: unknown): boolean {
  return codeOf(error) === '55P03'
}
