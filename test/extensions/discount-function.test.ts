import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadFixture, loadInputQuery, loadSchema, validateTestAssets } from '@shopify/shopify-function-test-helpers'
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

describe('Shopify’s limits', () => {
  test('every target has an input query of at most 3000 bytes and an export of the bundle', async () => {
    const bundle = await bundleFunction()
    for (const [target, { input_query }] of targeting) {
      expect(readFileSync(new URL(input_query, extension)).byteLength).toBeLessThanOrEqual(3000)
      expect(bundle).toContain(MUTATIONS[target])
    }
    expect(targeting.size).toBe(2)
  })

  test('the bundle is small and uses no clock, no locale data, no regular expression and no console', async () => {
    const bundle = await bundleFunction()
    expect(Buffer.byteLength(bundle)).toBeLessThan(16_000)
    expect(bundle).not.toMatch(/\b(Intl|Date|RegExp|console|Math\.random|toLocale\w+)\b/)
    const withoutComments = bundle.replaceAll(/\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, '')
    expect(withoutComments).not.toMatch(/[=(,:]\s*\/[^/*\s]/)
  })
})
