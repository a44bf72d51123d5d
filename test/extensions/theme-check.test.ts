import { globSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { themeCheckRun } from '@shopify/theme-check-node'
import { expect, test } from 'vitest'

const BLOCKS = path.resolve(import.meta.dirname, '../../extensions/loyalty-blocks')
const read = (file: string) => readFileSync(path.join(BLOCKS, file), 'utf8')

test('Shopify’s theme check finds nothing to complain of', async () => {
  const { offenses } = await themeCheckRun(BLOCKS, path.join(BLOCKS, '.theme-check.yml'))
  expect(offenses.map(({ check, uri, message, start }) => `${check} ${uri}:${start.line} ${message}`)).toEqual([])
}, 60_000)

test('scripts stay under 10,000 bytes and styles under 100,000, as Shopify asks', () => {
  for (const file of globSync('assets/*.js', { cwd: BLOCKS })) {
    expect(statSync(path.join(BLOCKS, file)).size, file).toBeLessThan(10_000)
  }
  expect(statSync(path.join(BLOCKS, 'assets/loyalty-card.css')).size).toBeLessThan(100_000)
})

test('scripts write text only, ask nobody but the app, and keep nothing in the browser', () => {
  for (const file of globSync('assets/*.js', { cwd: BLOCKS })) {
    expect(read(file)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage|https?:/)
  }
})

test('every snippet says what it takes', () => {
  for (const file of globSync('snippets/*.liquid', { cwd: BLOCKS })) expect(read(file), file).toMatch(/^\{% doc %\}/)
})

test('every value of the merchant’s program is escaped on its way into the page', () => {
  for (const file of globSync('{blocks,snippets}/*.liquid', { cwd: BLOCKS })) {
    const printed = [
      ...read(file).matchAll(/\{\{-?\s*((?:program|card|reward|held|tier|way|perk|condition)\b[^}]*)\}\}/g),
    ]
    const unescaped = printed
      .map(([, expression = '']) => expression.trim())
      .filter((expression) => !/\|\s*(escape|json)\b/.test(expression))
      .filter((expression) => !/\.(balance|pending|percent|cost|minimum|step)\s*-?$/.test(expression))
    expect(unescaped, file).toEqual([])
  }
})
