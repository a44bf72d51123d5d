import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { pool } from '#app/db/client.server.ts'
import { storeMessages } from '#app/db/inbox.server.ts'
import { dropEffectsOfGoneShops } from '#app/db/outbox.server.ts'
import { keepWhatIsRead } from '#app/shopify/webhook.ts'
import { flagsOf } from '#test/setup/flags.ts'
import { benchOrder, placedAtOf } from './orders.ts'

/** Stores `count` messages of as many orders as the door does, in these shops in turn, from number `first` on. */
export async function storeOrders(
  shops: readonly { id: number }[],
  first: number,
  count: number,
  members: number,
): Promise<void> {
  for (let from = first; from < first + count; from += 500) {
    const messages = Array.from({ length: Math.min(500, first + count - from) }, (_, at) => ({
      shopId: shops[(from + at) % shops.length]!.id,
      topic: 'orders/paid',
      eventId: `e-${from + at}`,
      webhookId: `w-${from + at}`,
      triggeredAt: placedAtOf(from + at),
      payload: keepWhatIsRead('orders/paid', benchOrder(from + at, members)),
    }))
    await storeMessages(messages, Date.now())
  }
}

/** Orders per second from stored message to committed ledger, and how many there were. */
export type Drained = { perSecond: number; orders: number }

/** One worker: a process of its own, with the flags of `npm run worker`, that drains when it is told to. */
export type Drainer = { pid: number; drain: () => Promise<Drained>; stop: () => Promise<void> }

/** Starts it, on the database of DATABASE_URL. */
export function startDrainer(): Drainer {
  const child = fork(new URL('drainer.ts', import.meta.url), { execArgv: flagsOf('worker') })
  const ended = once(child, 'exit')
  return {
    pid: child.pid!,
    drain: async () => {
      child.send('drain')
      const gone = ended.then(([code]) => Promise.reject(new Error(`The drainer ended with ${String(code)}`)))
      const [drained] = (await Promise.race([once(child, 'message'), gone])) as [Drained]
      return drained
    },
    stop: async () => {
      child.disconnect()
      await ended
    },
  }
}

/**
 * Takes away what the rounds before would have told Shopify: nobody is there to hear of it, and what piles up would be read again and again
 * while the next figure is taken.
 */
export async function clearEffects(): Promise<void> {
  await dropEffectsOfGoneShops(Date.now())
}

/** Resolves when no message waits. */
export async function untilDrained(): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(`select 1 from inbox where state = 'waiting' limit 1`)
    if (rows.length === 0) return
    await wait(20)
  }
}
