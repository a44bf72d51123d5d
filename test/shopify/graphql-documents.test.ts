import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { NoDeprecatedCustomRule, buildSchema, parse, specifiedRules, validate } from 'graphql'
import { expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const SCHEMA = path.join(ROOT, 'test/dev-store/schema/admin_2026-10.graphql.gz')

/** Every template marked `#graphql` of the app, with the file it is in. */
function readDocuments(): { file: string; document: string; name: string }[] {
  return globSync('app/**/*.{ts,tsx}', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/`#graphql\n([\s\S]*?)`/g)].map(([, document = '']) => ({
      file,
      document,
      name: /(?:query|mutation)\s+(\w+)/.exec(document)?.[1] ?? 'unnamed',
    })),
  )
}

const documents = readDocuments()
const schema = existsSync(SCHEMA)
  ? buildSchema(gunzipSync(readFileSync(SCHEMA)).toString('utf8'), { assumeValid: true })
  : null

test('the app has documents, and each has a name', () => {
  expect(documents.length).toBeGreaterThan(5)
  expect(documents.filter(({ name }) => name === 'unnamed')).toEqual([])
})

test('every document of the app lives in app/shopify', () => {
  expect(documents.filter(({ file }) => !file.startsWith('app/shopify/')).map(({ file }) => file)).toEqual([])
})

/** Documents that are put together at run time: by functions of app/shopify that are called …Document and given a size. */
const COMPOSED = globSync('app/shopify/*.ts', { cwd: ROOT }).flatMap((file) =>
  [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^export function (\w+Document)\(\w+: number\)/gm)].map(
    ([, name = '']) => ({ file, name }),
  ),
)

test('no document hides from this test: whatever looks like one is marked #graphql or made by a …Document function', () => {
  const composing = new Set(COMPOSED.map(({ file }) => file))
  const guilty = globSync('app/**/*.{ts,tsx}', { cwd: ROOT })
    .filter((file) => !composing.has(file))
    .filter((file) => /`\s*(query|mutation)\s+\w+\s*[({]/.test(readFileSync(path.join(ROOT, file), 'utf8')))
  expect(guilty).toEqual([])
})

test.each(COMPOSED)('$name ($file) is valid in 2026-10 at any size', async ({ file, name }) => {
  const made = (await import(path.join(ROOT, file))) as Record<string, (size: number) => string>
  for (const size of [1, 2, 25]) {
    expect(validate(schema!, parse(made[name]!(size)), [...specifiedRules, NoDeprecatedCustomRule])).toEqual([])
  }
})

test.each(documents)('$name ($file) is valid in 2026-10 and uses nothing deprecated', ({ document }) => {
  if (!schema) throw new Error(`${SCHEMA} is missing`)
  const errors = validate(schema, parse(document), [...specifiedRules, NoDeprecatedCustomRule])
  expect(errors.map(({ message }) => message)).toEqual([])
})

/** Input queries of Functions, each beside the schema that its extension was written against. */
const INPUT_QUERIES = globSync('extensions/*/src/**/*.graphql', { cwd: ROOT })

test('every Function of the app brings its input queries and the schema they are written against', () => {
  const functions = globSync('extensions/*/shopify.extension.toml', { cwd: ROOT }).filter((file) =>
    /^type = "function"/m.test(readFileSync(path.join(ROOT, file), 'utf8')),
  )
  const named = functions.flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^\s*input_query = "(.+)"/gm)].map(([, query = '']) =>
      path.join(path.dirname(file), query),
    ),
  )
  expect(named.length).toBeGreaterThan(0)
  expect(INPUT_QUERIES.map((file) => path.normalize(file)).sort()).toEqual(
    named.map((file) => path.normalize(file)).sort(),
  )
})

test.each(INPUT_QUERIES)('the input query %s is valid in 2026-10 and uses nothing deprecated', (file) => {
  const folder = path.join(ROOT, file.split('/').slice(0, 2).join('/'))
  const own = buildSchema(readFileSync(path.join(folder, 'schema.graphql'), 'utf8'), { assumeValid: true })
  const errors = validate(own, parse(readFileSync(path.join(ROOT, file), 'utf8')), [
    ...specifiedRules,
    NoDeprecatedCustomRule,
  ])
  expect(errors.map(({ message }) => message)).toEqual([])
})

test('the discount Function’s schema is Shopify’s of 2026-10, the very one that the dev store runs it by', () => {
  const kept = gunzipSync(readFileSync(path.join(ROOT, 'test/dev-store/schema/functions_discount_2026-10.graphql.gz')))
  expect(readFileSync(path.join(ROOT, 'extensions/loyalty-discount/schema.graphql'), 'utf8')).toBe(
    kept.toString('utf8'),
  )
})
