import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  fromStoredMember,
  keepActivity,
  toStoredMember,
  type MemberState,
  type StoredMember,
} from '#app/db/stored-member.ts'

const few = fc.integer({ min: 0, max: 2 })
const instant = fc.constantFrom(1_780_000_000_000, 1_780_000_000_001, 1_790_000_000_000)
const key = fc.constantFrom('gid://shopify/Order/1', 'gid://shopify/Order/2', 'event:1:birthday:2026', 'adjust:a')
/** Rarely, as one makes the whole list be kept in another form. */
const oddKey = fc.oneof({ weight: 20, arbitrary: key }, { weight: 1, arbitrary: fc.constant('adjust:a,b;c') })
const points = fc.constantFrom(0, 1, 250, -30)
const rest = fc.constantFrom(null, '1/3')
const level = fc.constantFrom(null, 'member', 'gold')
const texts = fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 })

const entry = fc.record({ key: oddKey, at: instant, points, spendMinor: points, spendRest: rest, orders: few })

const state: fc.Arbitrary<MemberState> = fc.record({
  customerState: fc.constantFrom(null, 'enabled'),
  customerStateAt: fc.option(instant),
  optedInAt: fc.option(instant),
  signedUpAt: fc.option(instant),
  birthday: fc.option(fc.record({ month: few, day: few, setAt: instant, paidYear: fc.option(few) })),
  activity: fc.array(entry),
  lifetime: fc.record({ points: few, spendMinor: few, spendRest: rest, orders: few }),
  counters: fc.dictionary(fc.constantFrom('rule:a|ever', 'reward:b'), few),
  tier: fc.record({
    level,
    history: fc.array(fc.record({ at: instant, level }), { maxLength: 3 }),
    failingSince: fc.option(instant),
    entryRewarded: texts,
    manual: fc.option(
      fc.record({
        level: fc.constant('gold'),
        until: fc.option(instant),
        reason: fc.constant('VIP'),
        actor: fc.constant('Ann'),
        raised: fc.boolean(),
      }),
    ),
  }),
  recentEarnings: fc.array(fc.record({ key, at: instant }), { maxLength: 4 }),
  emptiedAt: fc.option(instant),
  segments: texts,
  advancedTo: instant,
  version: fc.option(few),
})

const stored = (member: MemberState) => JSON.parse(JSON.stringify(toStoredMember(member))) as StoredMember

it('a stored record comes back as it was, whatever is in it', () => {
  fc.assert(
    fc.property(state, (member) => {
      expect(fromStoredMember(stored(member))).toEqual(member)
    }),
  )
})

it('what counts towards tiers is written the same, whatever of it was read before and is not written anew', () => {
  const changes = fc.record({ from: few, gone: few, more: fc.array(entry, { maxLength: 3 }) })
  fc.assert(
    fc.property(state, changes, (member, { from, gone, more }) => {
      const read = stored(member)
      const before = fromStoredMember(read)
      const activity = [...before.activity]
      activity.splice(from, gone)
      activity.push(...more)
      const after = { ...before, activity }
      expect(toStoredMember(after, keepActivity(before, read))).toEqual(toStoredMember(structuredClone(after)))
    }),
  )
})

it('queries find the latest earning first, with its key and its instant', () => {
  fc.assert(
    fc.property(state, (member) => {
      const [latest] = member.recentEarnings
      expect(stored(member).recentEarnings[0]).toEqual(latest && [expect.any(String), latest.at])
    }),
  )
})

it('a record with all fields and whole earnings, as they were kept before, is read', () => {
  const before = {
    customerState: 'enabled',
    optedInAt: null,
    birthday: null,
    lifetime: { points: 5, spendMinor: 500, spendRest: null, orders: 1 },
    counters: {},
    tier: { level: null, history: [], failingSince: null, entryRewarded: [], manual: null },
    emptiedAt: null,
    segments: [],
    advancedTo: 7,
    version: 1,
    activity: [['#1', 7, 5, 500, 1]],
    recentEarnings: [['#1', 7]],
  } as unknown as StoredMember
  expect(fromStoredMember(before)).toMatchObject({
    customerState: 'enabled',
    customerStateAt: null,
    activity: [{ key: 'gid://shopify/Order/1', at: 7, points: 5, spendMinor: 500, spendRest: null, orders: 1 }],
    recentEarnings: [{ key: 'gid://shopify/Order/1', at: 7 }],
  })
})
