import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Bundles the Function as Shopify CLI 4.8 does before it calls Javy: one ES module, es2022, where each export reads the
 * input, runs ours and writes the output. Javy itself comes from Shopify's network, so the WebAssembly is made by `shopify
 * app build`; our tests and the dev store run this very bundle in QuickJS, the engine inside Javy.
 */
const folder = fileURLToPath(new URL('.', import.meta.url))

/** The two targets of shopify.extension.toml. */
export type FunctionTarget = 'cart.lines.discounts.generate.run' | 'cart.delivery-options.discounts.generate.run'

const entry = `
  import { cartLinesDiscountsGenerateRun as lines, cartDeliveryOptionsDiscountsGenerateRun as delivery } from './src/index.ts'
  const run = (user) => ShopifyFunction.writeOutput(user(ShopifyFunction.readInput()))
  export function cartLinesDiscountsGenerateRun() { run(lines) }
  export function cartDeliveryOptionsDiscountsGenerateRun() { run(delivery) }
`

/** The bundle's text. */
export async function bundleFunction(): Promise<string> {
  const result = await build({
    stdin: { contents: entry, loader: 'ts', resolveDir: folder },
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    write: false,
  })
  return result.outputFiles[0]!.text
}

/** The input query of each target, as written in src/. */
export function readInputQueries(): Record<FunctionTarget, string> {
  return {
    'cart.lines.discounts.generate.run': readFileSync(new URL('src/cart-lines.graphql', import.meta.url), 'utf8'),
    'cart.delivery-options.discounts.generate.run': readFileSync(
      new URL('src/delivery-options.graphql', import.meta.url),
      'utf8',
    ),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await bundleFunction()
  process.stdout.write(`${Buffer.byteLength(text)} bytes\n`)
}
