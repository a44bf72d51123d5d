import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished, expect, test } from 'vitest'
import { listProgramVersions } from '#app/db/program-history.server.ts'
import { publishProgram } from '#app/db/programs.server.ts'
import { requireProgram } from '#app/loyalty/parse-program.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { makeShop } from '#test/setup/factories.ts'

const EXAMPLE = path.resolve(import.meta.dirname, '../fixtures/contracts/program.example.json')

function program(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['app/commands/program.ts', ...args], {
    encoding: 'utf8',
    cwd: path.resolve(import.meta.dirname, '../..'),
  })
  return { status, stdout, stderr }
}

function fileWith(text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'program-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'program.json'), text)
  return path.join(folder, 'program.json')
}

test('a program goes in, comes out the same, and a change is said in words', async () => {
  const shop = await makeShop({ currency: 'USD' })
  expect(program('import', '--shop', shop.domain, EXAMPLE)).toMatchObject({
    status: 0,
    stdout: `Version 1 of ${shop.domain} is in force:\n  • The program begins\n`,
  })
  const exported = program('export', '--shop', shop.domain).stdout
  expect(JSON.parse(exported)).toMatchObject(JSON.parse(readFileSync(EXAMPLE, 'utf8')))
  expect(program('import', '--shop', shop.domain, fileWith(exported)).stdout).toContain(
    'has this program already (version 1)',
  )
  const changed = fileWith(exported.replace('"500.00"', '"600.00"'))
  expect(program('import', '--shop', shop.domain, changed, '--dry-run').stdout).toContain(
    'Gold now needs 600.00 instead of 500.00',
  )
  expect(program('import', '--shop', shop.domain, changed)).toMatchObject({
    status: 0,
    stdout: `Version 2 of ${shop.domain} is in force:\n  • Gold now needs 600.00 instead of 500.00\n`,
  })
  const versions = await listProgramVersions(Number(shop.id), 10)
  expect(versions.map(({ version, publishedBy, note }) => [version, publishedBy, note])).toEqual([
    [2, 'npm run program', 'Gold now needs 600.00 instead of 500.00'],
    [1, 'npm run program', 'The program begins'],
  ])
})

test('a program that is not valid, or in another currency, is refused with file, line and field, and nothing is published', async () => {
  const shop = await makeShop({ currency: 'USD' })
  const text = readFileSync(EXAMPLE, 'utf8')
  const wrong = fileWith(text.replace('"per": "1.00"', '"per": "1.005"'))
  expect(program('import', '--shop', shop.domain, wrong)).toMatchObject({
    status: 2,
    stdout: '',
    stderr: `${wrong}:15: earning[0].per: must be money in USD, like "5.00", not "1.005"\n`,
  })
  const euros = fileWith(text.replace('"USD"', '"EUR"'))
  expect(program('import', '--shop', shop.domain, euros)).toMatchObject({
    status: 2,
    stderr: `${euros}:5: currency: must be USD, the currency of ${shop.domain}\n`,
  })
  expect(await listProgramVersions(Number(shop.id), 10)).toEqual([])
})

test('what was published before a limit was checked stays, is named, and keeps nothing else from being changed', async () => {
  const shop = await makeShop({ currency: 'USD' })
  const document = JSON.parse(readFileSync(EXAMPLE, 'utf8')) as ProgramDocument
  document.campaigns[0]!.name = 'x'.repeat(256)
  await publishProgram(shop.id, requireProgram(document).document, { effectiveAt: 0, at: 0 })
  const renamed = program('import', '--shop', shop.domain, fileWith(JSON.stringify({ ...document, name: 'Club' })))
  expect(renamed).toMatchObject({ status: 0, stdout: expect.stringContaining('Club') })
  expect(renamed.stderr).toMatch(
    /: campaigns\[0\]\.name: must be at most 255 characters, not 256 \(it stays, as it was there before\)\n$/,
  )
})

test('an unknown shop, a missing file or a missing word exit with 2 and say so', async () => {
  const shop = await makeShop()
  expect(program('export', '--shop', 'nobody.myshopify.com')).toMatchObject({
    status: 2,
    stderr: 'there is no shop nobody.myshopify.com in this database\n',
  })
  expect(program('import', '--shop', shop.domain, 'no-such-file.json')).toMatchObject({
    status: 2,
    stderr: 'no-such-file.json: there is no such file\n',
  })
  expect(program('export').stderr).toContain('--shop is missing')
  expect(program('explode').status).toBe(2)
  expect(program('--help')).toMatchObject({ status: 0, stderr: '' })
})
