// The pure engine over the same events in the same order, in memory: what the database must hold in the end.
import { advance, handle, nextDueAt, type Event, type Member, type Programs, type World } from '#app/loyalty/engine.ts'
import { planImport, planUndo, type GivenLine, type ImportOf, type ReadyLine } from '#app/loyalty/imports.ts'
import type { OrderRecord } from '#app/loyalty/order.ts'
import { normalizeCode, type Redemption } from '#app/loyalty/rewards.ts'

export type Replay = {
  apply: (event: Event) => void
  /** Gives a line of an import. */
  give: (line: ReadyLine, of: ImportOf, at: number) => void
  /** Takes a line of an import back. */
  takeBack: (line: GivenLine, of: ImportOf, at: number) => void
  /** Lets happen what is due of a member by then. */
  advance: (member: string, at: number) => void
  members: () => Map<string, Member>
  orders: () => Map<string, OrderRecord>
  redemptions: () => Map<string, Redemption>
}

export function startReplay(programs: Programs): Replay {
  const members = new Map<string, Member>()
  const survivors = new Map<string, string>()
  const orders = new Map<string, OrderRecord>()
  const redemptions = new Map<string, Redemption>()
  const facts = new Map<string, { key: string; member: string; data: string }>()
  const world: World = {
    member: (id) => members.get(survivors.get(id) ?? id),
    order: (id) => orders.get(id),
    redemption: (id) => redemptions.get(id),
    redemptionByCode: (code) =>
      [...redemptions.values()].find((each) => each.code !== null && normalizeCode(each.code) === normalizeCode(code)),
    fact: (key) => facts.get(key),
  }
  const put = (changed: { members: Member[]; orders: OrderRecord[]; redemptions: Redemption[] }) => {
    for (const member of changed.members) members.set(member.id, member)
    for (const member of changed.members) {
      for (const alias of member.aliases) {
        survivors.set(alias, member.id)
        members.delete(alias)
      }
    }
    for (const order of changed.orders) orders.set(order.id, order)
    for (const redemption of changed.redemptions) redemptions.set(redemption.id, redemption)
  }
  const apply = (event: Event) => {
    const changes = handle(world, event, programs)
    for (const fact of changes.facts) facts.set(fact.key, fact)
    put(changes)
  }
  return {
    apply,
    give: (line, of, at) => {
      const member = world.member(line.customer) ?? null
      for (const event of planImport(line, of, { programs, member, at })) apply(event)
    },
    takeBack: (line, of, at) => {
      const member = world.member(line.customer)
      if (member) for (const event of planUndo(line, of, { member, at }).events) apply(event)
    },
    advance: (id, at) => {
      const member = world.member(id)
      const dueAt = member ? nextDueAt(member, programs) : null
      if (!member || dueAt === null || dueAt > at) return
      const { member: changed, ...rest } = advance(member, programs, at)
      put({ members: [changed], ...rest })
    },
    members: () => members,
    orders: () => orders,
    redemptions: () => redemptions,
  }
}
