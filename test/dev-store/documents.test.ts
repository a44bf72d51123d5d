import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDocument } from './api/execute.ts'

const APP = resolve(import.meta.dirname, '../../app')
const documents = readdirSync(APP, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .flatMap((name) =>
    [...readFileSync(join(APP, name), 'utf8').matchAll(/`#graphql\n([^`]+)`/g)].map((match) => ({
      name,
      text: match[1]!,
    })),
  )
  .map(({ name, text }) => ({ title: `${/(?:query|mutation) (\w+)/.exec(text)?.[1]} of ${name}`, text }))

describe('what the app asks of the Admin API', () => {
  it('stands in documents that can be found', () => {
    expect(documents.length).toBeGreaterThan(20)
  })

  it.each(documents)('$title is valid in 2026-10 and answered by the dev store', ({ text }) => {
    expect(checkDocument(text).errors.map((error) => error.message)).toEqual([])
  })
})
