import { readFileSync } from 'node:fs'
import pg from 'pg'

/** Tables that prisma/distribute.sql distributes by shop. */
export const DISTRIBUTED = [
  ...readFileSync('prisma/distribute.sql', 'utf8').matchAll(/create_distributed_table\('(\w+)', 'shop_id'/g),
].map(([, table]) => table!)

/** As Citus routes a statement to one node: it names one shop, as a value or by the row of that shop. */
const NAMES_ONE_SHOP =
  /"?shop_id"?\s*=\s*(?:\$1|\d+)|"shop_id" IN \(\$1\)|select \$1,|values \(\$1,|select \$1 |from shops where id = \$1|from shops s join \w+ m on m\.shop_id = s\.id\s+where s\.id = \$1/i

/** Keeps every statement that this process sends from now on. */
export function recordStatements(): {
  onDistributed: () => string[]
  lackingTheShop: () => string[]
  stop: () => void
} {
  const statements = new Set<string>()
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [query] = args
    statements.add(typeof query === 'string' ? query : ((query as { text?: string }).text ?? ''))
    return original.apply(this, args)
  } as typeof pg.Client.prototype.query
  const onDistributed = () =>
    [...statements].filter((statement) => tablesOf(statement).some((table) => DISTRIBUTED.includes(table)))
  return {
    onDistributed,
    lackingTheShop: () => onDistributed().filter((statement) => !NAMES_ONE_SHOP.test(statement)),
    stop: () => {
      pg.Client.prototype.query = original as typeof pg.Client.prototype.query
    },
  }
}

/** The tables that a statement reads or writes, as far as its words tell. */
function tablesOf(statement: string): string[] {
  return [...statement.matchAll(/\b(?:from|join|into|update|using)\s+(?:"?public"?\.)?"?(\w+)"?/gi)].map(
    ([, table]) => table!,
  )
}
