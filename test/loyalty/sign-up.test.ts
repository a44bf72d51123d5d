import { describe, expect, it } from 'vitest'
import { parseLogLine } from '#app/commands/event-log.ts'
import type { Event, Programs } from '#app/loyalty/engine.ts'
import { planImport } from '#app/loyalty/imports.ts'
import { ANN, at, BEN, makeOrder, makeProgram, onlyProgram, Shop } from './shop.ts'

const WELCOME = { id: 'w', on: 'signup', points: 100 }
const PURCHASE = { id: 'purchase', on: 'order', points: 1, per: '1.00' }
const PAYS = { earning: [PURCHASE, WELCOME] }

/** What the live app hears where a customer gets an account. */
const account = (when: string, customer = ANN): Event => ({
  type: 'customer',
  at: at(when),
  customer,
  state: 'enabled',
  signUp: 'now',
})
const news = (when: string, state: string | null, customer = ANN): Event => ({
  type: 'customer',
  at: at(when),
  customer,
  state,
})
const joins = (when: string): Event => ({ type: 'opt-in', at: at(when), customer: ANN, signUp: 'now' })
const open = (differences: Record<string, unknown> = PAYS) => new Shop(onlyProgram(differences))

describe('signing up', () => {
  it('pays whoever gets an account, once and for ever, and remembers it by its key', () => {
    for (const enrolment of ['everyone', 'accounts']) {
      const shop = open({ ...PAYS, enrolment })
      shop.happen(account('2026-08-01'))
      shop.happen(account('2026-08-01'))
      shop.happen(news('2026-08-02', 'disabled'))
      shop.happen(account('2026-09-01'))
      expect(shop.get(ANN)).toMatchObject({ available: 100, lifetimeEarned: 100, signedUpAt: at('2026-08-01') })
      expect(shop.transfers.map(({ key, reason, amount }) => [key, reason, amount])).toEqual([
        [`event:${ANN}:signup:once`, 'signup', 100],
      ])
      expect(shop.custom('signup', 'once', '2026-09-02').transfers).toEqual([])
      shop.audit()
    }
  })

  it('pays a guest when they make an account, not when they buy', () => {
    const shop = open()
    shop.happen(news('2026-08-01', 'disabled'))
    shop.hear(makeOrder({ customerState: 'disabled' }))
    expect(shop.get(ANN)).toMatchObject({ available: 100, signedUpAt: null })
    shop.happen(account('2026-08-03'))
    expect(shop.get(ANN).available).toBe(200)
  })

  it('pays in whatever order the messages come: an order that shows the account first takes nothing away', () => {
    const shop = open({ ...PAYS, enrolment: 'accounts' })
    shop.hear(makeOrder())
    shop.tell(news('2026-08-01T11:00', 'enabled'))
    expect(shop.get(ANN).available).toBe(100)
    shop.tell(account('2026-08-01T11:00'))
    expect(shop.get(ANN).available).toBe(200)
    shop.audit()
  })

  it('pays nobody for news of an account that they have, by an update or an order', () => {
    const shop = open()
    shop.happen(news('2026-08-01', 'disabled'))
    shop.happen(news('2026-08-02', 'enabled'))
    shop.happen(news('2026-08-02', 'enabled', BEN))
    shop.hear(makeOrder({ id: 'gid://shopify/Order/9', processedAt: at('2026-08-03') }))
    expect(shop.get(ANN)).toMatchObject({ available: 100, signedUpAt: null })
    expect(shop.get(BEN).available).toBe(0)
  })

  it('where customers ask to join, pays joining and not the account; joining again changes nothing', () => {
    const shop = open({ ...PAYS, enrolment: 'opt-in' })
    shop.happen(account('2026-08-01'))
    expect(shop.get(ANN)).toMatchObject({ available: 0, signedUpAt: null })
    shop.happen(joins('2026-08-02'))
    shop.happen(joins('2026-08-03'))
    shop.happen(account('2026-08-04'))
    expect(shop.get(ANN)).toMatchObject({ available: 100, optedInAt: at('2026-08-02') })
    expect(shop.transfers).toHaveLength(1)
  })

  it('where everybody takes part, joining is no sign-up', () => {
    const shop = open()
    shop.happen(joins('2026-08-02'))
    expect(shop.get(ANN)).toMatchObject({ available: 0, signedUpAt: null })
  })

  it('pays by the version in force then: one without points pays nothing, nor does a later one', () => {
    const versions = [
      { number: 1, from: at('2026-08-01'), program: makeProgram() },
      { number: 2, from: at('2026-09-01'), program: makeProgram(PAYS) },
    ]
    const shop = new Shop({ versions, historyEarns: true, confirmCodes: true } satisfies Programs)
    shop.happen(account('2026-08-05'))
    shop.happen(account('2026-09-05'))
    shop.happen(account('2026-09-05', BEN))
    expect([shop.get(ANN).available, shop.get(BEN).available]).toEqual([0, 100])
  })

  it('pays nobody for an account of before the first version, even where history earns', () => {
    const versions = [{ number: 1, from: at('2026-08-01'), program: makeProgram(PAYS) }]
    const shop = new Shop({ versions, historyEarns: true, confirmCodes: true } satisfies Programs)
    shop.tell(account('2026-07-31'))
    expect(shop.get(ANN)).toMatchObject({ available: 0, signedUpAt: null })
  })

  it('pays nobody twice for a merge, whoever of the two signed up', () => {
    for (const [first, into] of [
      [ANN, BEN],
      [BEN, BEN],
    ] as const) {
      const shop = open()
      shop.happen(account('2026-08-01', first))
      shop.happen(news('2026-08-01', 'disabled', ANN))
      shop.happen(news('2026-08-01', 'disabled', BEN))
      shop.happen({ type: 'merge', at: at('2026-08-02'), from: ANN, into })
      shop.happen(account('2026-08-03', ANN))
      shop.happen(account('2026-08-03', BEN))
      expect(shop.get(BEN)).toMatchObject({ available: 100, signedUpAt: at('2026-08-01') })
      shop.audit()
    }
  })

  it('pays nobody who was brought over from another program, when they get an account here or by the import itself', () => {
    for (const enrolment of ['everyone', 'opt-in']) {
      const programs = onlyProgram({ ...PAYS, enrolment })
      const shop = new Shop(programs)
      const line = { customer: ANN, accountState: 'disabled', points: 30, birthday: null, tier: null, lastDay: null }
      const plan = { programs, member: null, at: at('2026-08-01') }
      for (const event of planImport(line as never, { id: '1', source: 'Smile' } as never, plan)) shop.happen(event)
      shop.happen(account('2026-08-02'))
      shop.happen(joins('2026-08-02'))
      expect(shop.get(ANN).available).toBe(30)
    }
  })

  it('pays nothing to the forgotten', () => {
    const shop = open()
    shop.happen(news('2026-08-01', 'disabled'))
    shop.happen({ type: 'erase', at: at('2026-08-02'), customer: ANN })
    expect(shop.happen(account('2026-08-03'))).toMatchObject({ refused: null, transfers: [] })
    expect(shop.get(ANN)).toMatchObject({ available: 0, signedUpAt: null })
  })

  it('a file of events pays by app/event alone: what customers/create and app/opt-in say there is no sign-up', () => {
    const payload = { id: 1, admin_graphql_api_id: ANN, state: 'enabled' }
    for (const [topic, body] of [
      ['customers/create', payload],
      ['customers/enable', payload],
      ['app/opt-in', { customer: ANN }],
    ] as const) {
      const line = parseLogLine(JSON.stringify({ topic, triggeredAt: '2026-08-01T00:00:00Z', payload: body }))
      if (!line.ok || line.value.event === null) throw new Error(`${topic} is not read`)
      const shop = open({ ...PAYS, enrolment: topic === 'app/opt-in' ? 'opt-in' : 'everyone' })
      shop.happen(line.value.event)
      expect(shop.get(ANN), topic).toMatchObject({ available: 0, signedUpAt: null })
    }
  })
})
