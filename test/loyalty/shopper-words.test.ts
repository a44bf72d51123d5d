import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeTransfers } from '#app/loyalty/member-history.ts'
import { ProgramCardSchema } from '#app/loyalty/member-card.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { buildTranslatedCard } from '#app/loyalty/program-card.ts'
import { ENGLISH, OTHER_LANGUAGES, wordsFor } from '#app/loyalty/shopper-words.ts'
import { anyProgram } from './any-program.ts'
import { makeProgram } from './shop.ts'

const LOCALES = path.join(import.meta.dirname, '../../extensions/loyalty-blocks/locales')
const readLocale = (file: string) => JSON.parse(readFileSync(path.join(LOCALES, file), 'utf8')) as object
const LANGUAGES = Object.entries(OTHER_LANGUAGES)

/** Every sentence by its path, and what is filled into it. */
function listBlanks(words: object, blank: RegExp, place = ''): [string, string][] {
  return Object.entries(words).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'string'
      ? [
          [
            `${place}${name}`,
            [...value.matchAll(blank)]
              .map(([whole]) => whole)
              .sort()
              .join(),
          ] as [string, string],
        ]
      : listBlanks(value as object, blank, `${place}${name}.`),
  )
}

test.each(LANGUAGES)('%s says all that English says, with the same things filled in', (_, words) => {
  expect(listBlanks(words, /\{\w+\}/g)).toEqual(listBlanks(ENGLISH, /\{\w+\}/g))
})

test.each(LANGUAGES)(
  'the theme blocks in %s fill in what they do in English, and know which language they are in',
  (code) => {
    const blanks = (file: string) => listBlanks(readLocale(file), /\{\{ \w+ \}\}|%|@/g)
    expect(blanks(`${code}.json`)).toEqual(blanks('en.default.json'))
    expect(readLocale(`${code}.json`)).toMatchObject({ card: { language: code } })
  },
)

test('the theme blocks and the app speak the same languages', () => {
  const files = globSync('*.json', { cwd: LOCALES }).filter((file) => !file.includes('.default.'))
  expect(files.map((file) => path.basename(file, '.json')).sort()).toEqual(Object.keys(OTHER_LANGUAGES).sort())
})

test('a language that is none of ours, and whatever else stands in its place, is English', () => {
  expect(wordsFor('de').locale).toBe('de')
  for (const other of [null, '', 'xx', 'DE', 'constructor', '__proto__']) expect(wordsFor(other)).toBe(ENGLISH)
})

test('a program in German: money, decimals, days and lists as German readers know them', () => {
  const program = makeProgram({
    currency: 'EUR',
    pointsName: { one: 'Bohne', other: 'Bohnen' },
    earning: [
      { id: 'spent', on: 'order', points: 1, per: '2.50', when: { tags: ['tea'], weekdays: [1, 3] } },
      { id: 'double', on: 'order', multiplier: 1.5, when: { minimumSubtotal: '100.00', channels: ['pos', 'web'] } },
      { id: 'review', on: 'review', points: 50, limit: { times: 3, every: 'year' } },
    ],
    tiers: {
      metric: 'spend',
      window: 'lifetime',
      levels: [
        { id: 'start', name: 'Start', threshold: '0.00' },
        { id: 'gold', name: 'Gold', threshold: '500.00', multiplier: 1.25, discountPercent: 12.5, freeShipping: true },
      ],
    },
    rewards: [
      { id: 'five', type: 'amount', value: '5.00', cost: 500, minimumSubtotal: '20.00', validDays: 1 },
      { id: 'tenth', type: 'percentage', value: 12.5, cost: 900, tiers: ['gold'], validDays: 30 },
      { id: 'mug', type: 'product', cost: 10, products: ['gid://shopify/Product/1', 'gid://shopify/Product/2'] },
    ],
  })
  const card = ProgramCardSchema.parse(buildTranslatedCard(program, 0, { 'gid://shopify/Product/1': 'Tasse' }))
  expect(card.languages?.de).toEqual({
    earning: {
      spent: '1 Bohne je 2,50\u00a0€ Einkaufswert bei ausgewählten Produkten · Montags und mittwochs',
      double: '1,5× Bohnen · Bei Bestellungen ab 100,00\u00a0€ · In unseren Geschäften oder im Onlineshop',
      review: '50 Bohnen für eine Bewertung · Höchstens 3-mal im Jahr',
    },
    tiers: {
      start: { from: 'Von Anfang an', perks: [] },
      gold: {
        from: 'Ab 500,00\u00a0€ Umsatz',
        perks: ['1,25× Bohnen', '12,5\u00a0% Rabatt', 'Kostenloser Versand'],
      },
    },
    rewards: {
      five: { label: '5,00\u00a0€ Rabatt', conditions: ['Bei Bestellungen ab 20,00\u00a0€', '1 Tag gültig'] },
      tenth: { label: '12,5\u00a0% Rabatt', conditions: ['Für Gold', '30 Tage gültig'] },
      mug: { label: 'Gratis: Tasse oder ein weiteres', conditions: [] },
    },
  })
  expect(card.rewards.map(({ label }) => label)).toEqual(['€5.00 off', '12.5% off', 'Free: Tasse or another'])
})

test('whatever the program, each language tells of the same rules, tiers and rewards, and leaves nothing unfilled', () => {
  fc.assert(
    fc.property(anyProgram, (document) => {
      const parsed = parseProgram(document)
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
      const card = ProgramCardSchema.parse(buildTranslatedCard(parsed.program, 0))
      expect(Object.keys(card.languages ?? {})).toEqual(Object.keys(OTHER_LANGUAGES))
      for (const texts of Object.values(card.languages ?? {})) {
        for (const part of ['earning', 'tiers', 'rewards'] as const) {
          expect(Object.keys(texts[part]).sort()).toEqual(card[part].map(({ id }) => id).sort())
        }
        expect(JSON.stringify(texts)).not.toMatch(/\{\w+\}|undefined|NaN/)
      }
    }),
    { numRuns: 60 },
  )
})

test('a program too large for a metafield in seven languages is told in English, so that it can be told at all', () => {
  const rewards = Array.from({ length: 400 }, (_, place) => ({
    ...{ id: `reward-${place}`, type: 'amount', value: '5.00', cost: 500 },
    ...{ minimumSubtotal: '20.00', maximumShare: 50, validDays: 90 },
  }))
  const card = buildTranslatedCard(makeProgram({ rewards }), 0)
  expect(card.languages).toBeUndefined()
  expect(card.rewards).toHaveLength(400)
})

test('the history in French', () => {
  const member = 'gid://shopify/Customer/1'
  const transfer = {
    from: 'shop.issued',
    to: `member:${member}.pending`,
    amount: 5,
    eventAt: 0,
    source: null,
    reverses: null,
  } as const
  const transfers = [
    { ...transfer, key: 'order:1', reason: 'order' },
    { ...transfer, key: 'import:12:1', reason: 'adjust' },
  ] as const
  const entries = describeTransfers(member, transfers, new Map([['12', 'Smile.io']]), wordsFor('fr'))
  expect(entries.map(({ label }) => label)).toEqual(['Commande', 'Repris de Smile.io'])
})
