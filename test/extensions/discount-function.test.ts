import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadFixture, loadInputQuery, loadSchema, validateTestAssets } from '@shopify/shopify-function-test-helpers'
import {
  buildSchema,
  getNamedType,
  isLeafType,
  parse as parseQuery,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type FieldNode,
} from 'graphql'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { bundleFunction } from '#extensions/loyalty-discount/build.ts'
import type { FunctionTarget } from '#extensions/loyalty-discount/build.ts'
import { createFunctionRunner } from '#test/dev-store/storefront/function.ts'

const extension = new URL('../../extensions/loyalty-discount/', import.meta.url)
const fixtures = new URL('fixtures/loyalty-discount/', import.meta.url)
const runner = await createFunctionRunner()
const schema = await loadSchema(fileURLToPath(new URL('schema.graphql', extension)))

type Targeting = { target: FunctionTarget; input_query: string; export: string }
const { extensions } = parse(readFileSync(new URL('shopify.extension.toml', extension), 'utf8')) as unknown as {
  extensions: [{ targeting: Targeting[] }]
}
const targeting = new Map(extensions[0].targeting.map((each) => [each.target as string, each]))

/** Our copy of Shopify's schema comes without the descriptions by which the helpers find a target's mutation. */
const MUTATIONS: Record<string, string> = {
  'cart.lines.discounts.generate.run': 'cartLinesDiscountsGenerateRun',
  'cart.delivery-options.discounts.generate.run': 'cartDeliveryOptionsDiscountsGenerateRun',
}

describe('the discount Function, one fixture in Shopify’s format for each case', () => {
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.json'))) {
    test(file.slice(0, -'.json'.length).replaceAll('-', ' ').replaceAll('_', '.'), async () => {
      const fixture = await loadFixture(fileURLToPath(new URL(file, fixtures)))
      const target = targeting.get(fixture.target)
      expect(target?.export).toBe(fixture.export)
      const inputQueryAST = await loadInputQuery(fileURLToPath(new URL(target!.input_query, extension)))
      const validation = await validateTestAssets({
        schema,
        fixture,
        inputQueryAST,
        mutationName: MUTATIONS[fixture.target],
        resultParameterName: 'result',
      })
      expect(validation.inputQuery.errors).toEqual([])
      expect(validation.inputFixture.errors).toEqual([])
      expect(validation.outputFixture.errors).toEqual([])

      const output = runner.run(fixture.target as FunctionTarget, JSON.stringify(fixture.input))

      expect(JSON.parse(output)).toEqual(fixture.expectedOutput)
    })
  }
})

/** Built by the tests' own graphql: Shopify's helpers bring another copy of it. */
const ownSchema = buildSchema(readFileSync(new URL('schema.graphql', extension), 'utf8'))
const COSTLY = new Set(['hasAnyTag', 'hasTags', 'inAnyCollection', 'inCollections'])
const FREE_PARENTS = new Set(['Metafield', 'HasTagResponse', 'CollectionMembership'])

/**
 * What an input query costs by Shopify's published weights (shopify.dev/docs/apps/build/functions, "Input query limits"): 3 for a metafield
 * and for each question about tags or collections, with nothing more for what is in the answer; 0 for `__typename`; 1 for every other leaf.
 */
function costOf(query: DocumentNode): number {
  const types = new TypeInfo(ownSchema)
  let cost = 0
  const enter = ({ name }: FieldNode) => {
    const type = getNamedType(types.getType())
    const isFree = name.value === '__typename' || FREE_PARENTS.has(types.getParentType()?.name ?? '')
    if (isFree || !type) return
    if (type.name === 'Metafield' || COSTLY.has(name.value)) cost += 3
    // Metaobjects have weights of their own, and the app reads none.
    else if (type.name === 'Metaobject') throw new Error(`${name.value} has a weight that is not counted here`)
    else if (isLeafType(type)) cost += 1
  }
  visit(query, visitWithTypeInfo(types, { Field: { enter } }))
  return cost
}

describe('Shopify’s limits', () => {
  test('every target has an input query of at most 3000 bytes and an export of the bundle', async () => {
    const bundle = await bundleFunction()
    for (const [target, { input_query }] of targeting) {
      expect(readFileSync(new URL(input_query, extension)).byteLength).toBeLessThanOrEqual(3000)
      expect(bundle).toContain(MUTATIONS[target])
    }
    expect(targeting.size).toBe(2)
  })

  test.each([...targeting])('the input query of %s costs at most 30', (_, { input_query }) => {
    const query = parseQuery(readFileSync(new URL(input_query, extension), 'utf8'))
    expect(validate(ownSchema, query)).toEqual([])
    expect(costOf(query)).toBeLessThanOrEqual(30)
  })

  test('a query costs what Shopify’s table says of its fields, whatever lists they stand in', () => {
    const cost = (fields: string) => costOf(parseQuery(`query Input { ${fields} }`))
    expect(cost('presentmentCurrencyRate')).toBe(1)
    expect(cost('cart { lines { id merchandise { __typename } } }')).toBe(1)
    expect(cost('cart { cost { subtotalAmount { amount currencyCode } } }')).toBe(2)
    expect(cost('discount { metafield(key: "a") { value jsonValue } }')).toBe(3)
    const product = (fields: string) =>
      `cart { lines { merchandise { ... on ProductVariant { product { ${fields} } } } } }`
    expect(cost(product('hasAnyTag(tags: ["a"]) inAnyCollection(ids: [])'))).toBe(6)
    expect(cost(product('hasTags(tags: ["a"]) { hasTag tag } inCollections(ids: []) { isMember }'))).toBe(6)
  })

  test('the bundle is small and uses no clock, no locale data, no regular expression and no console', async () => {
    const bundle = await bundleFunction()
    expect(Buffer.byteLength(bundle)).toBeLessThan(16_000)
    expect(bundle).not.toMatch(/\b(Intl|Date|RegExp|console|Math\.random|toLocale\w+)\b/)
    const withoutComments = bundle.replaceAll(/\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, '')
    expect(withoutComments).not.toMatch(/[=(,:]\s*\/[^/*\s]/)
  })
})
