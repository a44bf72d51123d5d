import { expect, test } from 'vitest'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { TEMPLATES, buildTemplate } from '#app/loyalty/templates.ts'

const shops = [
  ['USD', 'America/New_York'],
  ['JPY', 'Asia/Tokyo'],
  ['KWD', 'Asia/Kuwait'],
  ['CLF', 'America/Santiago'],
  ['IDR', 'Asia/Jakarta'],
]

test.each(TEMPLATES.flatMap(({ id }) => shops.map(([currency, timezone]) => [id, currency, timezone] as const)))(
  'the template %s is a valid program in %s',
  (id, currency, timezone) => {
    const document = buildTemplate(id, { name: 'Club', currency: currency!, timezone: timezone! })
    expect(parseProgram(document)).toMatchObject({ ok: true, document })
    expect(document).toMatchObject({ name: 'Club', currency, timezone })
  },
)

test('cash back gives five percent back, whatever the currency', () => {
  for (const [currency, timezone] of shops) {
    const parsed = parseProgram(buildTemplate('cash-back', { name: 'Club', currency: currency!, timezone: timezone! }))
    if (!parsed.ok) throw new Error('not valid')
    const { earning, rewards } = parsed.program
    const perMoney = earning[0]!.points / earning[0]!.perAmount
    expect((perMoney * rewards[0]!.valueMinor) / rewards[0]!.variable!.perPoints).toBeCloseTo(0.05, 12)
  }
})

test('a shop with an unknown zone gets no template', () => {
  expect(() => buildTemplate('tiers', { name: 'Club', currency: 'USD', timezone: 'Mars/Olympus' })).toThrow('not valid')
})

test('no template promises what comes about only with a workflow of the merchant’s own', () => {
  const occasions = TEMPLATES.flatMap(({ id }) =>
    buildTemplate(id, { name: 'Club', currency: 'USD', timezone: 'UTC' }).earning.map(({ on }) => on),
  )
  expect([...new Set(occasions)].sort()).toEqual(['birthday', 'order', 'signup'])
})
