/**
 * The direction of imports (README, "Rooms"): each rule is a sentence, and a file that breaks one is printed with it.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

type Import = { file: string; target: string }
type Rule = { sentence: string; breaks: (use: Import) => boolean }

const PURE_LIBRARIES = /^(zod|@stdlib\/.+)$/
const isIn = (room: string) => (use: { file: string }) => use.file.startsWith(`app/${room}/`)
const isInside = (target: string) =>
  target.startsWith('app/') || target.startsWith('test/') || target.startsWith('extensions/')

const RULES: Rule[] = [
  {
    sentence: 'app/loyalty imports only its neighbours, zod, a maths library and a time-zone library',
    breaks: (use) => isIn('loyalty')(use) && !use.target.startsWith('app/loyalty/') && !PURE_LIBRARIES.test(use.target),
  },
  {
    sentence: 'app/retention imports only its neighbours, loyalty/money, loyalty/time, zod and a maths library',
    breaks: (use) =>
      isIn('retention')(use) &&
      !use.target.startsWith('app/retention/') &&
      !/^app\/loyalty\/(money|time)\.ts$/.test(use.target) &&
      !PURE_LIBRARIES.test(use.target),
  },
  {
    sentence: 'app/db does not import app/shopify, app/jobs, app/routes or app/ui',
    breaks: (use) => isIn('db')(use) && /^app\/(shopify|jobs|routes|ui|commands)\//.test(use.target),
  },
  {
    sentence: 'app/shopify does not import app/db, app/jobs, app/routes or app/ui',
    breaks: (use) => isIn('shopify')(use) && /^app\/(db|jobs|routes|ui|commands)\//.test(use.target),
  },
  {
    sentence: 'jobs and commands never import routes or ui',
    breaks: (use) => (isIn('jobs')(use) || isIn('commands')(use)) && /^app\/(routes|ui)\//.test(use.target),
  },
  {
    sentence: 'app never imports test',
    breaks: (use) => use.file.startsWith('app/') && use.target.startsWith('test/'),
  },
  {
    sentence: 'extensions import nothing of the app: they are shipped on their own',
    breaks: (use) =>
      use.file.startsWith('extensions/') && isInside(use.target) && !use.target.startsWith('extensions/'),
  },
  {
    sentence: 'what has no .server in its name never imports the database, Remix on the server or a Node module',
    breaks: (use) =>
      (isIn('loyalty')(use) || isIn('retention')(use) || isIn('ui')(use)) &&
      (/\.server\.tsx?$/.test(use.target) || /^(node:|@prisma\/|pg$|express$|@remix-run\/node)/.test(use.target)),
  },
]

/** Every import of every source file, ours as a path from the root, packages by their name. */
function readImports(): Import[] {
  const files = globSync(['app/**/*.{ts,tsx}', 'extensions/*/src/**/*.ts', 'prisma/*.ts'], { cwd: ROOT })
  return files.flatMap((file) =>
    ts.preProcessFile(readFileSync(path.join(ROOT, file), 'utf8'), true, true).importedFiles.map(({ fileName }) => ({
      file,
      target: resolveImport(file, fileName),
    })),
  )
}

function resolveImport(file: string, name: string): string {
  if (name.startsWith('#')) return name.slice(1)
  if (name.startsWith('.')) return path.posix.join(path.posix.dirname(file), name)
  return name
}

const imports = readImports()

test('there are files to check', () => {
  expect(imports.length).toBeGreaterThan(50)
})

test.each(RULES)('$sentence', ({ breaks }) => {
  expect(imports.filter(breaks).map((use) => `${use.file} imports ${use.target}`)).toEqual([])
})

test('the rules and the measures read no clock, no environment and no chance', () => {
  const worldly = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bcrypto\.random/
  const guilty = globSync(['app/loyalty/**/*.ts', 'app/retention/**/*.ts'], { cwd: ROOT }).filter((file) =>
    worldly.test(withoutComments(readFileSync(path.join(ROOT, file), 'utf8'))),
  )
  expect(guilty).toEqual([])
})

test('business time comes from clock.server.ts alone', () => {
  const guilty = globSync('app/**/*.{ts,tsx}', { cwd: ROOT })
    .filter((file) => file !== 'app/clock.server.ts')
    .filter((file) => /\bDate\.now\(|\bnew Date\(\)/.test(withoutComments(readFileSync(path.join(ROOT, file), 'utf8'))))
  expect(guilty).toEqual([])
})

test('the process says how many threads it wants before it loads what could start them', () => {
  expect(imports.find(({ file }) => file === 'app/server.ts')?.target).toBe('app/threads.server.ts')
})

test('only db/ledger writes the ledger', () => {
  const writes = /\b(insert into|update|delete from|copy)\s+"?(ledger_transfers|balances|lots)\b/i
  const guilty = globSync('app/**/*.{ts,tsx}', { cwd: ROOT })
    .filter((file) => file !== 'app/db/ledger.server.ts')
    .filter((file) => writes.test(readFileSync(path.join(ROOT, file), 'utf8')))
  expect(guilty).toEqual([])
})

test('imports inside the project, from its root or from beside, are written with their ending', () => {
  const files = globSync(['app/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'], { cwd: ROOT })
  const guilty = files.flatMap((file) =>
    ts
      .preProcessFile(readFileSync(path.join(ROOT, file), 'utf8'), true, true)
      .importedFiles.map(({ fileName }) => fileName)
      .filter((name) => /^[#.]/.test(name) && !/\.(ts|tsx|css|json)(\?url)?$/.test(name))
      .map((name) => `${file} imports ${name}`),
  )
  expect(guilty).toEqual([])
})

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
