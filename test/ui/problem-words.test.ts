import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { parseProgram } from '#app/loyalty/parse-program.ts'
import { writePath, type Path } from '#app/ui/draft.ts'
import { FIELD_LABELS, sayBeside, sayProblem } from '#app/ui/problem-words.ts'

const example = JSON.parse(readFileSync('test/fixtures/contracts/program.example.json', 'utf8')) as unknown

/** What the forms would say of the example with one place changed. */
function sentencesOf(path: Path, value: unknown): string[] {
  const document = writePath(example, path, value)
  const parsed = parseProgram(document)
  return parsed.ok ? [] : parsed.problems.map((problem) => sayProblem(problem, document))
}

test.each<[Path, unknown, string]>([
  [['name'], '', 'Name of the program must not be empty'],
  [['expiry'], { model: 'inactivity' }, 'Points expire after is missing'],
  [
    ['tiers', 'levels', 2, 'threshold'],
    '200.00',
    'Gold: Reached with must be above that of Silver ("200.00"), not "200.00"',
  ],
  [['tiers', 'levels', 2, 'name'], '', 'New tier: Name must not be empty'],
  [['tiers', 'levels', 2, 'perks'], ['A card', ''], 'Gold: Other perks, one a line must not be empty'],
  [['earning', 0, 'points'], -5, 'Buying: Members get must be at least 0, not -5'],
  [['rewards', 0, 'cost'], 0, 'five-off: Costs (points) must be at least 1, not 0'],
  [
    ['rewards', 0],
    { id: 'ten', type: 'percentage', cost: 100, value: 101 },
    'ten: Percentage off must be a percentage above 0 and up to 100, with at most 2 decimals, not 101',
  ],
  [
    ['campaigns', 0, 'offer', 'bands', 1, 'from'],
    '50.00',
    'Spring days, step 2: From must be above that of the band before',
  ],
  [
    ['campaigns', 0, 'audience'],
    { tiers: ['platin'] },
    'Spring days: Only for tiers there is no level "platin": the levels are member, silver, gold',
  ],
  [
    ['campaigns', 0, 'offer'],
    { amount: '1234567890123.00' },
    'Spring days must not have an amount or a name that is too long for a discount at Shopify',
  ],
  [['rewards', 0, 'cost'], undefined, 'five-off: Costs (points) is missing'],
  [
    ['campaigns', 0, 'until'],
    '2026-04-01T00:00',
    'Spring days: Ends must be after the start (2026-04-10 09:00), not 2026-04-01 00:00',
  ],
  [['campaigns', 0, 'typo'], 1, 'Spring days: typo is not a known field'],
  [['tiers', 'levels', 2, 'typo'], 1, 'Gold: typo is not a known field'],
  [['basis', 'exclude', 'tags'], ['', 'sale'], 'basis.exclude.tags[0] must not be empty'],
])('with %j as %j: the entry, the label of its field, and what is wrong', (path, value, sentence) => {
  expect(sentencesOf(path, value)).toContain(sentence)
})

test.each([
  ['is missing', 'This is missing'],
  ['must not be empty', 'This is missing'],
  ['is missing: a fixed reward has a cost, a variable one perPoints', 'This is missing'],
  ['must be above 0, not "0.00"', 'Must be above 0, not "0.00"'],
  ['Say why: it is much', 'Say why: it is much'],
])('beside its field, “%s” is “%s”', (message, said) => {
  expect(sayBeside({ path: ['rewards', 0, 'cost'], field: 'rewards[0].cost', message })).toBe(said)
})

test('what is no field of the document is a sentence of its own', () => {
  const why = { path: ['overrideReason'], field: 'overrideReason', message: 'Say why: it is much' }
  expect(sayProblem(why, example)).toBe('Say why: it is much')
  expect(sayProblem({ path: [], field: '', message: 'is not JSON' }, example)).toBe('is not JSON')
})

test('every label stands in a form', () => {
  const forms = globSync(['app/ui/*-form.tsx', 'app/routes/app.tiers._index.tsx']).map((file) =>
    readFileSync(file, 'utf8'),
  )
  const missing = Object.values(FIELD_LABELS)
    .flat()
    .filter((label) => !forms.some((form) => form.includes(label)))
  expect(missing).toEqual([])
})
