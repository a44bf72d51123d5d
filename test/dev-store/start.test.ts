import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** `npm start` with these settings and no others of Shopify's. */
function start(settings: Record<string, string>, ...args: string[]) {
  const { PATH, HOME } = process.env
  const environment = { PATH, HOME, NODE_ENV: 'test' as const, ...settings }
  return spawnSync(process.execPath, ['test/dev-store/start.ts', ...args], {
    cwd: ROOT,
    env: environment,
    encoding: 'utf8',
  })
}

test('with half of a real configuration npm start refuses, and names what is given and what is missing', () => {
  const refused = start({ SHOPIFY_API_KEY: 'key', SHOPIFY_APP_URL: 'https://example.com' })
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('Given: SHOPIFY_API_KEY, SHOPIFY_APP_URL.')
  expect(refused.stderr).toContain('Missing: SHOPIFY_API_SECRET, ENCRYPTION_KEY.')
  expect(refused.stderr).toContain('.env.example')
})

test('npm start says what it does when asked', () => {
  const helped = start({}, '--help')
  expect(helped.status).toBe(0)
  expect(helped.stdout).toContain('--empty')
})

test('an option that npm start does not know is refused before anything is started', () => {
  const refused = start({}, '--full')
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('--full')
})
