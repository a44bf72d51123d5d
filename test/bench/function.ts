import { gzipSync } from 'node:zlib'
import { documentsForCampaign } from '#app/loyalty/discount-configuration.ts'
import type { DiscountDocuments } from '#app/loyalty/discount-configuration.ts'
import type { FunctionTarget } from '#extensions/loyalty-discount/build.ts'
import { createFunctionRunner, executeInputQuery } from '#test/dev-store/storefront/function.ts'

/**
 * `npm run bench -- function`: our discount Function in QuickJS for carts of 1, 50, 200 and 500 lines, beside one that does
 * nothing and one that reads the same input and writes it back untouched. Each figure is the median of many runs in a warm
 * context, all three taken in turns on the same machine, so that a ratio means the same everywhere; milliseconds do not.
 */

const TARGET: FunctionTarget = 'cart.lines.discounts.generate.run'
const LINES = [1, 50, 200, 500]
/** Wall-clock spent on each cart size, for all three Functions together. */
const MILLISECONDS_PER_SIZE = 1500

const DOES_NOTHING = `export function cartLinesDiscountsGenerateRun() { ShopifyFunction.writeOutput({ operations: [] }) }`
const READS_AND_WRITES = `export function cartLinesDiscountsGenerateRun() {
  ShopifyFunction.writeOutput(ShopifyFunction.readInput())
}`

/** Prints one JSON line for each figure. */
export async function benchFunction(print: (line: Record<string, unknown>) => void): Promise<void> {
  const ours = await createFunctionRunner()
  const nothing = await createFunctionRunner(DOES_NOTHING)
  const copy = await createFunctionRunner(READS_AND_WRITES)
  print({
    bench: 'function',
    figure: 'bundle',
    bytes: Buffer.byteLength(ours.bundle),
    gzipBytes: gzipSync(ours.bundle).length,
    bytesOfOneThatDoesNothing: Buffer.byteLength(DOES_NOTHING),
  })
  const medians: { lines: number; ours: number }[] = []
  for (const lines of LINES) {
    const input = JSON.stringify(await cartOf(lines))
    const [oursMs, nothingMs, copyMs] = measure([ours, nothing, copy], input)
    medians.push({ lines, ours: oursMs! })
    print({
      bench: 'function',
      figure: 'run',
      lines,
      inputBytes: Buffer.byteLength(input),
      outputBytes: Buffer.byteLength(ours.run(TARGET, input)),
      milliseconds: round(oursMs!),
      doesNothingMilliseconds: round(nothingMs!),
      readsAndWritesMilliseconds: round(copyMs!),
      timesReadingAndWriting: round(oursMs! / copyMs!),
    })
  }
  const perLine = (from: number, to: number) => {
    const [small, large] = [from, to].map((lines) => medians.find((each) => each.lines === lines)!)
    return (large!.ours - small!.ours) / (to - from)
  }
  print({
    bench: 'function',
    figure: 'growth',
    microsecondsPerLine50To200: round(perLine(50, 200) * 1000),
    microsecondsPerLine200To500: round(perLine(200, 500) * 1000),
    ratio: round(perLine(200, 500) / perLine(50, 200)),
  })
}

type Runner = Awaited<ReturnType<typeof createFunctionRunner>>

/** Median milliseconds of one call for each runner, the runners taking turns. */
function measure(runners: Runner[], input: string): number[] {
  const contexts = runners.map((runner) => runner.open(TARGET))
  const times: number[][] = runners.map(() => [])
  const until = performance.now() + MILLISECONDS_PER_SIZE
  while (performance.now() < until || times[0]!.length < 20) {
    for (const [at, context] of contexts.entries()) {
      const before = performance.now()
      context.call(input)
      times[at]!.push(performance.now() - before)
    }
  }
  for (const context of contexts) context.dispose()
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!)
}

/** The dearest case: a campaign on a collection, with bands, that covers every other line and skips reduced ones. */
async function cartOf(count: number): Promise<Record<string, unknown>> {
  const documents = documentsForCampaign({
    id: 'bench',
    name: 'Spring days',
    offer: {
      bands: [
        { from: '50.00', percentage: 5 },
        { from: '100.00', percentage: 10 },
      ],
    },
    collections: ['gid://shopify/Collection/1'],
    saleItems: false,
  }) as DiscountDocuments
  const lines = Array.from({ length: count }, (_, at) => ({
    id: `gid://shopify/CartLine/${String(at).padStart(8, '0')}-7c1e-4e0a-9a51-0242ac120002`,
    cost: {
      subtotalAmount: { amount: '149.97' },
      amountPerQuantity: { amount: '49.99' },
      compareAtAmountPerQuantity: at % 10 === 0 ? { amount: '59.99' } : null,
    },
    merchandise: {
      __typename: 'ProductVariant',
      product: {
        id: `gid://shopify/Product/${7_000_000_000_000 + at}`,
        isGiftCard: false,
        inAnyCollection: () => at % 2 === 0,
      },
    },
  }))
  return executeInputQuery(
    TARGET,
    {
      presentmentCurrencyRate: '1.3742',
      discount: {
        discountClasses: ['PRODUCT'],
        metafield: () => ({ jsonValue: JSON.parse(documents.configuration) as unknown }),
      },
      cart: {
        buyerIdentity: { isAuthenticated: true, customer: { metafield: () => null } },
        cost: { subtotalAmount: { currencyCode: 'CAD' } },
        lines,
      },
    },
    { collections: ['gid://shopify/Collection/1'] },
  )
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

if (import.meta.main) await benchFunction((line) => console.log(JSON.stringify(line)))
