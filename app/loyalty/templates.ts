/**
 * Programs to start from. Each is a complete, valid document for the shop's currency and zone, meant to be changed. None promises what only a
 * workflow of the merchant's could bring about: a review, a profile, a referral.
 */
import { currencyExponent, formatDecimal } from './money.ts'
import { parseProgram } from './parse-program.ts'
import type { ProgramDocument } from './program-document.ts'

/** `id` is what a form posts; `title` and `promise` are shown to the merchant. */
export type Template = { readonly id: TemplateId; readonly title: string; readonly promise: string }

/** Names a template; also the value that a form posts. */
export type TemplateId = 'cash-back' | 'tiers' | 'punch-card'

/** The three templates, in the order in which they are offered. */
export const TEMPLATES: readonly Template[] = [
  {
    id: 'cash-back',
    title: 'Cash back',
    promise: 'Members get 5% of what they spend back as points, to spend as they like.',
  },
  {
    id: 'tiers',
    title: 'Tiers',
    promise: 'The more members spend in a year, the faster they earn and the more they get.',
  },
  { id: 'punch-card', title: 'Punch card', promise: 'A stamp for every order; ten stamps are worth a present.' },
]

type Shop = { readonly name: string; readonly currency: string; readonly timezone: string }

/**
 * The document of a template for a shop: `buildTemplate('tiers', { name: 'Bean Club', currency: 'JPY', timezone: 'Asia/Tokyo' })`. Amounts are of an
 * everyday size in the currency. Throws on an unknown currency or zone.
 */
export function buildTemplate(id: TemplateId, shop: Shop): ProgramDocument {
  const money = (units: number) => formatMoneyOfEveryday(units, shop.currency)
  const document = { 'cash-back': cashBack, tiers, 'punch-card': punchCard }[id](money)
  const parsed = parseProgram({ version: 1, ...shop, ...document })
  if (!parsed.ok)
    throw new Error(`the template ${id} is not valid for ${JSON.stringify(shop)}: ${JSON.stringify(parsed.problems)}`)
  return parsed.document
}

type Money = (units: number) => string

function cashBack(money: Money) {
  return {
    pointsName: { one: 'point', other: 'points' },
    earning: [
      { id: 'purchase', on: 'order', points: 5, per: money(1) },
      { id: 'welcome', on: 'signup', points: 100, limit: { times: 1, every: 'ever' } },
    ],
    rewards: [
      {
        id: 'money-off',
        type: 'amount',
        perPoints: 100,
        value: money(1),
        step: 100,
        minimumPoints: 500,
        validDays: 90,
      },
    ],
  }
}

function tiers(money: Money) {
  return {
    pointsName: { one: 'point', other: 'points' },
    earning: [
      { id: 'purchase', on: 'order', points: 1, per: money(1) },
      { id: 'welcome', on: 'signup', points: 50, limit: { times: 1, every: 'ever' } },
      { id: 'birthday', on: 'birthday', points: 100, limit: { times: 1, every: 'year' } },
    ],
    tiers: {
      metric: 'spend',
      window: { rollingDays: 365 },
      graceDays: 30,
      levels: [
        { id: 'bronze', name: 'Bronze', threshold: money(0) },
        { id: 'silver', name: 'Silver', threshold: money(200), multiplier: 1.25, entryReward: 100 },
        { id: 'gold', name: 'Gold', threshold: money(500), multiplier: 1.5, entryReward: 250, freeShipping: true },
      ],
    },
    rewards: [
      { id: 'five-off', type: 'amount', cost: 100, value: money(5), minimumSubtotal: money(20), validDays: 90 },
      { id: 'ship-free', type: 'shipping', cost: 80, validDays: 60 },
      { id: 'ten-percent', type: 'percentage', cost: 250, value: 10, tiers: ['silver', 'gold'], validDays: 60 },
    ],
  }
}

function punchCard(money: Money) {
  return {
    pointsName: { one: 'stamp', other: 'stamps' },
    hold: { days: 7 },
    expiry: { model: 'inactivity', months: 12 },
    earning: [{ id: 'stamp', on: 'order', points: 1, per: 'order', when: { minimumSubtotal: money(5) } }],
    rewards: [{ id: 'full-card', type: 'amount', cost: 10, value: money(10), validDays: 180 }],
  }
}

/** How many units of a currency buy what one dollar or euro does, to a power of ten; 1 where it is not listed. Only for round starting amounts. */
const EVERYDAY: Record<string, number> = {
  ...Object.fromEntries(
    'CZK DKK DZD EGP HKD INR JPY KES MXN NOK PHP RUB SEK THB TRY TWD UAH ZAR'.split(' ').map((code) => [code, 10]),
  ),
  ...Object.fromEntries(
    'AMD ARS CRC DJF HUF ISK JPY KZT LKR NGN PKR RSD VUV XAF XOF XPF YER'.split(' ').map((code) => [code, 100]),
  ),
  ...Object.fromEntries(
    'BIF CLP COP GNF IQD KHR KMF KRW LBP MGA MMK MNT MWK PYG RWF TZS UGX UZS'.split(' ').map((code) => [code, 1000]),
  ),
  ...Object.fromEntries('IDR IRR LAK VND'.split(' ').map((code) => [code, 10_000])),
}

function formatMoneyOfEveryday(units: number, currency: string): string {
  const exponent = currencyExponent(currency)
  return formatDecimal(units * (EVERYDAY[currency] ?? 1) * 10 ** exponent, exponent)
}
