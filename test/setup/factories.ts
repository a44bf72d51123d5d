import { randomUUID } from 'node:crypto'
import { now } from '#app/clock.server.ts'
import { prisma } from '#app/db/client.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { parseProgram } from '#app/loyalty/parse-program.ts'
import { describeProblem } from '#app/loyalty/problems.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'

let made = 0

/** An installed shop with a domain of its own; returns its row. The defaults are a Berlin shop that sells in euros. */
export async function makeShop(
  shop: { domain?: string; currency?: string; timezone?: string; installedAt?: Date | null; uninstalledAt?: Date } = {},
) {
  made += 1
  const at = new Date('2026-01-01T00:00:00Z')
  return prisma.shop.create({
    data: {
      domain: `shop-${made}-${process.pid}.myshopify.com`,
      currency: 'EUR',
      timezone: 'Europe/Berlin',
      installedAt: at,
      createdAt: at,
      ...shop,
    },
  })
}

/** A member with that customer number and nothing to its name yet; returns its row. */
export async function makeMember(shopId: number, id: bigint | number) {
  const at = new Date('2026-01-01T00:00:00Z')
  const row = await prisma.member.create({
    data: { shopId, id: BigInt(id), joinedAt: at, updatedAt: at },
  })
  await prisma.balance.create({ data: { shopId, memberId: row.id } })
  return row
}

/** 5 points per euro, held for 14 days, expiring after 12 months: the document, with whatever the test changes. */
export function programDocument(changes: Record<string, unknown> = {}): ProgramDocument {
  const parsed = parseProgram({
    version: 1,
    name: 'Test Club',
    pointsName: { one: 'point', other: 'points' },
    currency: 'EUR',
    timezone: 'Europe/Berlin',
    hold: { days: 14 },
    earning: [{ id: 'purchase', on: 'order', points: 5, per: '1.00' }],
    rewards: [{ id: 'five-off', type: 'amount', value: '5.00', cost: 100, validDays: 90 }],
    ...changes,
  })
  if (!parsed.ok) throw new Error(parsed.problems.map(describeProblem).join('; '))
  return parsed.document
}

/** An installed shop whose program has been in force since the beginning of 2026. */
export async function makeShopWithProgram(
  changes: Record<string, unknown> = {},
  shop: Parameters<typeof makeShop>[0] = {},
) {
  const made = await makeShop(shop)
  const at = Date.parse('2026-01-01T00:00:00Z')
  await publishProgram(made.id, programDocument(changes), { effectiveAt: at, at })
  return made
}

/** Puts a message into the shop's inbox as the door does, with an event id of its own unless one is given. */
export async function receive(
  shopId: number,
  topic: string,
  payload: string,
  { at = '2026-08-01T08:00:05Z', eventId = randomUUID() as string }: { at?: string; eventId?: string } = {},
): Promise<void> {
  const triggeredAt = Date.parse(at)
  await storeMessages([{ shopId, topic, eventId, webhookId: randomUUID(), triggeredAt, payload }], now())
}

/** Puts so many messages into the shop's inbox in which there is nothing to do. */
export async function receiveIdle(shopId: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({
    shopId,
    topic: 'themes/publish',
    eventId: randomUUID(),
    webhookId: randomUUID(),
    triggeredAt: now(),
    payload: '{}',
  }))
  await storeMessages(messages, now())
}

/** Runs `work` at another business time. Time is the process's, so such tests do not run side by side in one file. */
export async function atInstant<Result>(instant: string, work: () => Promise<Result>): Promise<Result> {
  const clock = globalThis as Record<symbol, unknown>
  const offset = Symbol.for('perennial.clock.offsetMs')
  clock[offset] = Date.parse(instant) - Date.now()
  try {
    return await work()
  } finally {
    delete clock[offset]
  }
}
