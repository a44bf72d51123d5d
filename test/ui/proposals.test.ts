import { expect, test } from 'vitest'

import { parseProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument, RewardDocument } from '#app/loyalty/program-document.ts'
import type { RewardType } from '#app/loyalty/program.ts'
import { buildTemplate } from '#app/loyalty/templates.ts'
import {
  changeRewardType,
  freeId,
  proposeCampaign,
  proposeOffer,
  proposePer,
  proposeReward,
  proposeTiers,
  type OfferKind,
} from '#app/ui/proposals.ts'

const program = (currency: string): ProgramDocument =>
  buildTemplate('cash-back', { name: 'Bean Club', currency, timezone: 'Asia/Tokyo' })

const problems = (document: unknown) => {
  const parsed = parseProgram(document)
  return parsed.ok ? [] : parsed.problems.map((problem) => `${problem.field} ${problem.message}`)
}

const TYPES: RewardType[] = ['amount', 'percentage', 'shipping', 'product', 'store-credit', 'gift-card']

test.each(['USD', 'JPY', 'KWD', 'CLF'])('what a form begins with is a valid program in %s', (currency) => {
  const document = program(currency)
  expect(problems({ ...document, rewards: [...document.rewards, proposeReward(document)] })).toEqual([])
  expect(problems({ ...document, tiers: proposeTiers(document) })).toEqual([])
  const rule = { ...document.earning[0], per: proposePer(document) }
  expect(problems({ ...document, earning: [rule] })).toEqual([])
  for (const kind of ['percentage', 'amount', 'bands', 'shipping', 'pointsMultiplier'] satisfies OfferKind[]) {
    const campaign = { ...proposeCampaign(document, '2026-05-02T00:00', '2026-05-05T00:00'), name: 'May' }
    expect(problems({ ...document, campaigns: [{ ...campaign, offer: proposeOffer(kind, document) }] })).toEqual([])
  }
})

test('a new campaign is valid but for its name, which only the merchant knows', () => {
  const document = program('USD')
  const campaign = proposeCampaign(document, '2026-05-02T00:00', '2026-05-05T00:00')
  expect(problems({ ...document, campaigns: [campaign] })).toHaveLength(1)
})

test.each(TYPES.flatMap((from) => TYPES.map((to) => [from, to] as const)))(
  'a reward changed from %s to %s has every field it needs and none it cannot have',
  (from, to) => {
    const document = program('USD')
    const products = ['gid://shopify/Product/1']
    const complete = (reward: RewardDocument) => (reward.type === 'product' ? { ...reward, products } : reward)
    const before = complete(changeRewardType(proposeReward(document), from, document))
    const after = complete(changeRewardType(before, to, document))
    const json: unknown = JSON.parse(JSON.stringify({ ...document, rewards: [after] }))
    expect(problems(json)).toEqual([])
  },
)

test('a variable reward stays variable where the new type is money, and becomes fixed where it is not', () => {
  const document = program('USD')
  const variable = document.rewards[0]!
  expect(changeRewardType(variable, 'store-credit', document)).toMatchObject({ perPoints: 100, cost: undefined })
  expect(changeRewardType(variable, 'shipping', document)).toMatchObject({ cost: 500 })
})

test('ids of a list are unique, and start with the wanted one', () => {
  expect(freeId('money-off', [])).toBe('money-off')
  expect(freeId('money-off', [{ id: 'money-off' }, { id: 'money-off-2' }])).toBe('money-off-3')
})
