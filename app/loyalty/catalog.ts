/**
 * A *catalogue* says what an order's lines do not: a product's collections, tags and compare-at price. The app keeps it from
 * Shopify's products, the simulator reads it from a file.
 */
import { z } from 'zod'
import { isGid } from './ids.ts'
import { parseDecimal } from './money.ts'
import type { Order, OrderLine } from './order.ts'
import { explainIssues, formatPath, problemAt, type Problem } from './problems.ts'
import type { Program } from './program.ts'

/** What is known of one product. `compareAtMinor` is in minor units of the shop currency; null: the product has none. */
export type CatalogProduct = {
  readonly collections: readonly string[]
  readonly tags: readonly string[]
  readonly compareAtMinor: number | null
}

/** A product as Shopify lists it: its type too, which no rule of a program looks at. */
export type ListedProduct = CatalogProduct & { readonly type: string }

/** By product gid. */
export type Catalog = ReadonlyMap<string, CatalogProduct>

/** What {@link parseCatalog} answers. */
export type ParsedCatalog =
  | { readonly ok: true; readonly catalog: Catalog }
  | { readonly ok: false; readonly reason: 'invalid_catalog'; readonly problems: readonly Problem[] }

const gid = (type: string) =>
  z.string().refine((value) => isGid(value, type), `must be an id like "gid://shopify/${type}/1"`)

const productSchema = z.strictObject({
  collections: z.array(gid('Collection')).default([]),
  tags: z.array(z.string()).default([]),
  compareAt: z.string().optional(),
})

/** Reads a catalogue document; `exponent` is the number of decimals of the shop currency. All problems are named with their field. */
export function parseCatalog(input: unknown, exponent: number): ParsedCatalog {
  const shape = z.record(z.string(), productSchema).safeParse(input, { reportInput: true })
  if (!shape.success) return refuse(explainIssues(shape.error.issues))
  const catalog = new Map<string, CatalogProduct>()
  const problems: Problem[] = []
  for (const [id, { collections, tags, compareAt }] of Object.entries(shape.data)) {
    if (!isGid(id, 'Product')) problems.push(problemAt([id], 'must be an id like "gid://shopify/Product/1"'))
    const compareAtMinor = compareAt === undefined ? null : parseDecimal(compareAt, exponent)
    if (compareAt !== undefined && (compareAtMinor === null || compareAtMinor < 0)) {
      problems.push(
        problemAt([id, 'compareAt'], `must be money as text with at most ${exponent} decimals, not "${compareAt}"`),
      )
    }
    catalog.set(id, { collections, tags, compareAtMinor })
  }
  return problems.length > 0 ? refuse(problems) : { ok: true, catalog }
}

/**
 * The fields of a program that need to know a product's collections, tags or compare-at price, which orders do not carry. Empty: no catalogue is needed.
 */
export function fieldsNeedingCatalog(program: Program): { readonly path: Problem['path']; readonly field: string }[] {
  const { basis, earning, campaigns } = program.document
  const paths: (string | number)[][] = []
  if (!basis.saleItems) paths.push(['basis', 'saleItems'])
  if (basis.exclude.collections.length > 0) paths.push(['basis', 'exclude', 'collections'])
  if (basis.exclude.tags.length > 0) paths.push(['basis', 'exclude', 'tags'])
  earning.forEach((rule, index) => {
    if (rule.when?.collections) paths.push(['earning', index, 'when', 'collections'])
    if (rule.when?.tags) paths.push(['earning', index, 'when', 'tags'])
  })
  campaigns.forEach((campaign, index) => {
    if (campaign.offer.pointsMultiplier === undefined) return
    if (campaign.collections) paths.push(['campaigns', index, 'collections'])
    if (campaign.saleItems === false) paths.push(['campaigns', index, 'saleItems'])
  })
  return paths.map((path) => ({ path, field: formatPath(path) }))
}

/** The order with what the catalogue knows of its products. Lines of products that it does not know stay as they are. */
export function withCatalog(order: Order, catalog: Catalog): Order {
  if (catalog.size === 0 || !order.lines.some((line) => line.product !== null && catalog.has(line.product)))
    return order
  return { ...order, lines: order.lines.map((line) => withProduct(line, catalog)) }
}

function withProduct(line: OrderLine, catalog: Catalog): OrderLine {
  const known = line.product === null ? undefined : catalog.get(line.product)
  return known ? { ...line, ...known } : line
}

function refuse(problems: readonly Problem[]): ParsedCatalog {
  return { ok: false, reason: 'invalid_catalog', problems }
}
