import { readFileSync } from 'node:fs'
import { buildSchema, execute, parse, validate } from 'graphql'
import type { DocumentNode, GraphQLSchema } from 'graphql'
import { getQuickJS } from 'quickjs-emscripten'
import type { QuickJSContext, QuickJSWASMModule } from 'quickjs-emscripten'
import { bundleFunction, readInputQueries } from '#extensions/loyalty-discount/build.ts'
import type { FunctionTarget } from '#extensions/loyalty-discount/build.ts'

/**
 * Runs a discount Function as Shopify does, as far as that can be done here: the input query is executed against Shopify's
 * own schema, the bundle runs in QuickJS (the engine inside Javy) with Shopify's memory and stack limits and without clock
 * or chance, and reads and writes JSON. Shopify's instruction meter cannot be had: a runaway is stopped, nothing is counted.
 */

/** Shopify's limits for a Function: linear memory and stack (shopify.dev, Functions limits). */
const MEMORY_BYTES_MAX = 10_000 * 1024
const STACK_BYTES_MAX = 512 * 1024
/** QuickJS calls the interrupt handler every 10 000 ticks; our longest cart takes a few calls. */
const INTERRUPTS_MAX = 20_000

const EXPORTS: Record<FunctionTarget, string> = {
  'cart.lines.discounts.generate.run': 'cartLinesDiscountsGenerateRun',
  'cart.delivery-options.discounts.generate.run': 'cartDeliveryOptionsDiscountsGenerateRun',
}

/** A bundle ready to be run. `run` takes the input as JSON text and gives the output as JSON text; it throws on an error. */
export type FunctionRunner = {
  bundle: string
  run: (target: FunctionTarget, inputJson: string) => string
  /** A context kept open, for measuring: `call` runs once more, `dispose` ends it. */
  open: (target: FunctionTarget) => { call: (inputJson: string) => string; dispose: () => void }
}

let ownBundle: Promise<string> | undefined

/** A runner of our own Function's bundle (made once a process), or of the one given. */
export async function createFunctionRunner(bundle?: string): Promise<FunctionRunner> {
  ownBundle ??= bundle === undefined ? bundleFunction() : undefined
  const text = bundle ?? (await ownBundle!)
  const engine = await getQuickJS()
  const open = (target: FunctionTarget) => openContext(engine, text, EXPORTS[target])
  return {
    bundle: text,
    open,
    run: (target, inputJson) => {
      const context = open(target)
      try {
        return context.call(inputJson)
      } finally {
        context.dispose()
      }
    },
  }
}

function openContext(engine: QuickJSWASMModule, bundle: string, exportName: string) {
  const runtime = engine.newRuntime()
  runtime.setMemoryLimit(MEMORY_BYTES_MAX)
  runtime.setMaxStackSize(STACK_BYTES_MAX)
  let interrupts = 0
  runtime.setInterruptHandler(() => (interrupts += 1) > INTERRUPTS_MAX)
  const vm = runtime.newContext()
  const dispose = () => {
    vm.dispose()
    runtime.dispose()
  }
  try {
    evaluate(vm, PRELUDE, 'prelude.js')
    const namespace = vm.unwrapResult(vm.evalCode(bundle, 'function.js', { type: 'module' }))
    vm.setProp(vm.global, '__module', namespace)
    namespace.dispose()
    evaluate(vm, `globalThis.__call = (text) => { __in = text; __module.${exportName}(); return __out }`, 'call.js')
  } catch (error) {
    dispose()
    throw error
  }
  const call = (inputJson: string) => {
    interrupts = 0
    const argument = vm.newString(inputJson)
    const callee = vm.getProp(vm.global, '__call')
    try {
      const result = vm.unwrapResult(vm.callFunction(callee, vm.undefined, argument))
      const output = vm.getString(result)
      result.dispose()
      return output
    } finally {
      callee.dispose()
      argument.dispose()
    }
  }
  return { call, dispose }
}

/** Javy's two calls, and none of what Shopify's run does not have. */
const PRELUDE = `
  globalThis.__in = ''; globalThis.__out = '';
  globalThis.ShopifyFunction = {
    readInput: () => JSON.parse(__in),
    writeOutput: (value) => { __out = JSON.stringify(value) },
  };
  delete globalThis.Date; delete Math.random;
`

function evaluate(vm: QuickJSContext, code: string, name: string): void {
  vm.unwrapResult(vm.evalCode(code, name)).dispose()
}

/** Shopify's discount Function schema, 2026-10, as it lies in the extension. */
export function readFunctionSchema(): GraphQLSchema {
  schema ??= buildSchema(
    readFileSync(new URL('../../../extensions/loyalty-discount/schema.graphql', import.meta.url), 'utf8'),
  )
  return schema
}
let schema: GraphQLSchema | undefined
const documents = new Map<FunctionTarget, DocumentNode>()

/**
 * The JSON that a target's input query selects from a cart. `root` holds the values of Shopify's `Input` type, arguments as
 * functions; a value that the query asks for and `root` lacks is an error that names it, never invented.
 */
export async function executeInputQuery(
  target: FunctionTarget,
  root: Record<string, unknown>,
  variables: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  let document = documents.get(target)
  if (document === undefined) {
    document = parse(readInputQueries()[target])
    const mistakes = validate(readFunctionSchema(), document)
    if (mistakes.length > 0) throw new Error(`Input query of ${target}: ${mistakes.map(String).join('; ')}`)
    documents.set(target, document)
  }
  const result = await execute({
    schema: readFunctionSchema(),
    document,
    rootValue: root,
    variableValues: variables,
    typeResolver: (value) => (value as { __typename: string }).__typename,
  })
  if (result.errors?.length) throw new Error(`Input query of ${target}: ${result.errors.map(String).join('; ')}`)
  // graphql-js gives objects without a prototype; the Function gets plain JSON.
  return JSON.parse(JSON.stringify(result.data)) as Record<string, unknown>
}
