import { expect, onTestFinished } from 'vitest'
import type { Pool, PoolClient } from 'pg'
import { pool } from '#app/db/client.server.ts'

/** Lets those who wait for one of the pool's connections wait for a moment only, for the time of the test. They must not wait for ever. */
export function hurry({ options }: Pool): void {
  const usualMs = options.connectionTimeoutMillis
  expect(usualMs).toBeGreaterThan(0)
  options.connectionTimeoutMillis = 300
  onTestFinished(() => void (options.connectionTimeoutMillis = usualMs))
}

/** As if the process were busier than it has connections: others wait for one in vain, though not long, until they are given back. */
export async function takeAllConnections(): Promise<{ giveBack: () => void }> {
  const taken: PoolClient[] = await Promise.all(Array.from({ length: pool.options.max! }, () => pool.connect()))
  const giveBack = () => taken.splice(0).forEach((client) => client.release())
  onTestFinished(giveBack)
  hurry(pool)
  return { giveBack }
}
