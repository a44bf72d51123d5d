import { expect, test } from 'vitest'
import { parseEnvironment } from '#app/env.server.ts'

/** Every setting that has no default. */
const settings = {
  DATABASE_URL: 'postgresql://perennial:secret@localhost:5432/perennial',
  SHOPIFY_API_KEY: 'a'.repeat(32),
  SHOPIFY_API_SECRET: 'shpss_secret',
  SHOPIFY_APP_URL: 'https://loyalty.example.com',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
}

/** What the process is told of its settings before it refuses to start, each complaint on its line. */
function complaintsOf(source: Record<string, string | undefined>): string[] {
  try {
    parseEnvironment(source)
  } catch (error) {
    return (error as Error).message.split('\n').slice(1)
  }
  return []
}

test('a whole environment is taken, and what has a usual value need not be said', () => {
  expect(parseEnvironment(settings)).toEqual({ ...settings, PORT: 3000, WORKER: 'on' })
  const chosen = { PORT: '8080', WORKER: 'off', APP_BRIDGE_URL: '/app-bridge.js' }
  expect(parseEnvironment({ ...settings, ...chosen })).toEqual({ ...settings, ...chosen, PORT: 8080 })
})

test('every setting that is missing is named, with what it is for, all in one message', () => {
  expect(complaintsOf({}).map((line) => line.trim().split(' ')[0])).toEqual(Object.keys(settings))
  for (const name of Object.keys(settings)) {
    for (const nothing of [undefined, '']) {
      const complaints = complaintsOf({ ...settings, [name]: nothing })
      expect(complaints).toEqual([expect.stringMatching(`^  ${name} is missing: [a-z0-9].{20}`)])
    }
  }
})

test.each([
  ['DATABASE_URL', 'mysql://root:hunter2@localhost/shop', 'like postgresql://user:password@host:5432/name'],
  ['ENCRYPTION_KEY', Buffer.alloc(16, 7).toString('base64'), '32 bytes in base64'],
  ['ENCRYPTION_KEY', 'no base64 hunter2', '32 bytes in base64'],
  ['SHOPIFY_APP_URL', 'loyalty.example.com:8080', 'like https://'],
  ['PORT', '65536', 'a whole number from 0 to 65535'],
  ['PORT', 'hunter2', 'a whole number from 0 to 65535'],
  ['WORKER', 'maybe', 'on or off'],
])('a malformed %s (%j) is named, with what is allowed (%s), and its value is not repeated', (name, value, allowed) => {
  const complaints = complaintsOf({ ...settings, [name]: value })
  expect(complaints).toEqual([expect.stringMatching(`^  ${name} is not as it should be: `)])
  expect(complaints[0]).toContain(allowed)
  expect(complaints[0]).not.toContain(value)
})

test('the tunnel of `shopify app dev`, which it names HOST, is the app’s address unless one is set', () => {
  const HOST = 'https://tunnel.trycloudflare.com'
  expect(parseEnvironment({ ...settings, SHOPIFY_APP_URL: undefined, HOST }).SHOPIFY_APP_URL).toBe(HOST)
  expect(parseEnvironment({ ...settings, HOST }).SHOPIFY_APP_URL).toBe(settings.SHOPIFY_APP_URL)
})
