import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handle, nextDueAt, type Changes, type Event, type Member, type World } from '#app/loyalty/engine.ts'
import { LotsNeeded, type LotsAside } from '#app/loyalty/lots.ts'
import { anyDeeds, anyDisorder, anyPrograms, disturb, longAfter, toEvents } from './any-history.ts'
import { Shop } from './shop.ts'

/** The engine's answer on a shop whose members have only some of their lots with them, and those whose lots it asked for. */
function handleLeanly(
  shop: Shop,
  event: Event,
  isHere: (key: string) => boolean,
): { changes: Changes; asked: string[] } {
  const asked: string[] = []
  const world: World = {
    member: (id) => {
      const member = shop.member(id)
      return member && !asked.includes(member.id) ? leave(shop, member, event, isHere) : member
    },
    order: (id) => shop.order(id),
    redemption: (id) => shop.redemption(id),
    redemptionByCode: (code) => shop.redemptionByCode(code),
    fact: (key) => shop.fact(key),
  }
  for (;;) {
    try {
      return { changes: handle(world, event, shop.programs), asked }
    } catch (error) {
      if (!(error instanceof LotsNeeded) || asked.includes(error.member)) throw error
      asked.push(error.member)
    }
  }
}

function leave(shop: Shop, member: Member, event: Event, isHere: (key: string) => boolean): Member {
  const keys = event.type === 'order' ? [event.order.id] : []
  const lotsAside: LotsAside = {
    dueAt: nextDueAt(member, shop.programs) ?? Infinity,
    without: new Set(keys.filter((key) => isHere(key) || !member.lots.some((lot) => lot.key === key))),
  }
  return { ...member, lots: member.lots.filter(({ key }) => isHere(key)), lotsAside }
}

/** The members with the lots that were left aside, as if they had never been. */
function whole(shop: Shop, members: readonly Member[], isHere: (key: string) => boolean): Member[] {
  return members.map(({ lotsAside, ...member }) => {
    const aside = lotsAside ? shop.get(member.id).lots.filter(({ key }) => !isHere(key)) : []
    return { ...member, lots: sortLots([...aside, ...member.lots]) }
  })
}

const sortLots = (lots: Member['lots']) => [...lots].sort((a, b) => (a.key < b.key ? -1 : 1))

test('an event changes the same whichever lots were left aside, and asks for few of them', () => {
  let [handled, asking] = [0, 0]
  const property = fc.property(anyPrograms, anyDeeds, anyDisorder, fc.nat(3), (programs, deeds, disorder, modulus) => {
    const isHere = (key: string) => modulus > 0 && key.length % (modulus + 1) === 0
    const shop = new Shop(programs)
    const events = disturb(toEvents(deeds), disorder)
    for (const event of events) {
      const { changes, asked } = handleLeanly(shop, event, isHere)
      for (const member of changes.members) {
        const [full] = whole(shop, [member], isHere)
        expect(nextDueAt(member, programs) ?? Infinity).toBeLessThanOrEqual(nextDueAt(full!, programs) ?? Infinity)
      }
      const lean = { ...changes, members: whole(shop, changes.members, isHere) }
      const expected = shop.tell(event)
      expect(lean).toEqual({
        ...expected,
        members: expected.members.map((member) => ({ ...member, lots: sortLots(member.lots) })),
      })
      if (event.type === 'order') [handled, asking] = [handled + 1, asking + (asked.length > 0 ? 1 : 0)]
    }
    shop.pass(longAfter(events))
  })
  fc.assert(property, { numRuns: 2000 })
  expect(asking).toBeGreaterThan(0)
  // Nobody is looked up before here, so whoever has something due asks too.
  expect(asking).toBeLessThan(handled / 2)
}, 60_000)
