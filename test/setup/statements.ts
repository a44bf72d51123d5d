import { readFileSync } from 'node:fs'
import pg from 'pg'
import { DatabaseClient } from '#app/db/client.server.ts'

/** Tables that prisma/distribute.sql distributes by shop. */
export const DISTRIBUTED = [
  ...readFileSync('prisma/distribute.sql', 'utf8').matchAll(/create_distributed_table\('(\w+)', 'shop_id'/g),
].map(([, table]) => table!)

/** What PostgreSQL tells of a plan's node (EXPLAIN, VERBOSE, FORMAT JSON), as far as it is looked at here. */
type PlanNode = {
  'Parent Relationship'?: string
  Operation?: string
  'Relation Name'?: string
  Alias?: string
  Output?: string[]
  Plans?: PlanNode[]
} & { [condition in (typeof CONDITIONS)[number]]?: string }

const CONDITIONS = ['Index Cond', 'Recheck Cond', 'Filter'] as const
/** A parameter or a number, as a plan writes it. */
const VALUE = String.raw`\(?(?:\$\d+|'?\d+'?)\)?(?:::\w+)?`

/**
 * Has `look` see every statement that this process is about to send, until what it returns is called. Where it throws or rejects, the statement
 * is not sent and fails with that.
 */
export function lookAtStatements(look: (text: string, values: unknown) => void | Promise<void>): () => void {
  const original = DatabaseClient.prototype.query as (...args: unknown[]) => unknown
  DatabaseClient.prototype.query = function (this: DatabaseClient, ...args: unknown[]) {
    const [query, values] = args
    const answer = args.at(-1)
    const fail = (error: unknown) =>
      typeof answer === 'function' ? void answer(error) : Promise.reject(error as Error)
    try {
      const looked = look(typeof query === 'string' ? query : ((query as { text?: string }).text ?? ''), values)
      const send = () => original.apply(this, args)
      return looked ? looked.then(send, fail) : send()
    } catch (error) {
      return fail(error)
    }
  } as typeof DatabaseClient.prototype.query
  return () => {
    DatabaseClient.prototype.query = original as typeof DatabaseClient.prototype.query
  }
}

/** Keeps every statement that this process sends from now on. */
export function recordStatements(): {
  /** Those that read or write a distributed table. */
  onDistributed: () => Promise<string[]>
  /** Those of them that Citus could not send to the one node of one shop, with the part that reaches further. */
  lackingTheShop: () => Promise<string[]>
  stop: () => void
} {
  const statements = new Set<string>()
  const stop = lookAtStatements((text) => void statements.add(text))
  const planned = async () => {
    const plans = await planAll([...statements])
    return plans.filter(({ plan }) => nodesOf(plan).some((node) => DISTRIBUTED.includes(node['Relation Name'] ?? '')))
  }
  return {
    onDistributed: async () => (await planned()).map(({ statement }) => statement),
    lackingTheShop: async () =>
      (await planned()).flatMap(({ statement, plan }) =>
        findTablesWithoutShop(plan).map((table) => `${table} in: ${statement}`),
      ),
    stop,
  }
}

/**
 * How PostgreSQL would carry out each statement for any values of its parameters. What it gathers from joins (`o.shop_id =
 * m.shop_id`) stands in the plan as a condition on each table, which is also where Citus looks for it.
 */
async function planAll(statements: readonly string[]): Promise<{ statement: string; plan: PlanNode }[]> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  const plans: { statement: string; plan: PlanNode }[] = []
  try {
    for (const statement of statements) {
      if (!/^\s*(select|insert|update|delete|with|declare)\b/i.test(statement)) continue
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `explain (generic_plan, verbose, costs off, format json) ${statement}`,
      )
      plans.push({ statement, plan: rows[0]!['QUERY PLAN'][0].Plan })
    }
  } finally {
    await client.end()
  }
  return plans
}

/** The distributed tables that the plan reads without `shop_id = …`, or writes rows to whose shop is not given. */
function findTablesWithoutShop(plan: PlanNode): string[] {
  const nodes = nodesOf(plan)
  return nodes.filter((node) => reachesFurther(node, nodes)).map((node) => node['Relation Name']!)
}

function reachesFurther(node: PlanNode, all: readonly PlanNode[]): boolean {
  if (!DISTRIBUTED.includes(node['Relation Name'] ?? '')) return false
  if (node.Operation === 'Insert') return !isOneShop(shopWritten(node), all)
  // The rows that an update or delete touches are those that the scan below it finds.
  if (node.Operation !== undefined) return false
  return !holdsTo(node, 'shop_id')
}

/** Whether the conditions of a scan hold one column to one value. */
function holdsTo(scan: PlanNode, column: string): boolean {
  // A bitmap's condition is with the table's scan too, as what is checked again.
  const condition = new RegExp(String.raw`(?<=[(.])${column} = ${VALUE}(?=[) ])`)
  return CONDITIONS.some((name) => condition.test(scan[name] ?? ''))
}

/** What an insert writes as the shop, which is the first column of every distributed table (the test of keys says so). */
function shopWritten(insert: PlanNode): string {
  let source = sourceOf(insert)
  // What a subquery only hands on is looked for where it comes from.
  while (source?.Output?.[0]?.startsWith('"*SELECT*"')) source = sourceOf(source)
  return source?.Output?.[0] ?? ''
}

/** The node that this one has its rows from; its other children are subqueries. */
function sourceOf(node: PlanNode): PlanNode | undefined {
  return node.Plans?.find((child) => /^(Outer|Subquery)$/.test(child['Parent Relationship'] ?? ''))
}

/** A value, a column of rows of values, or a column of a table that is held to one row. */
function isOneShop(expression: string, all: readonly PlanNode[]): boolean {
  if (new RegExp(`^${VALUE}$`).test(expression) || expression.startsWith('"*VALUES*".')) return true
  const [alias, column] = expression.split('.')
  return all.some((node) => (node.Alias ?? node['Relation Name']) === alias && holdsTo(node, column!))
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
