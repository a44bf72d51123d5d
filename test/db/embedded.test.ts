import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { expect, it } from 'vitest'
import { embeddedHome, findRunningEmbedded, startEmbeddedPostgres } from '#app/db/embedded.server.ts'

/** A home that goes when the test is over, whatever came of it. */
async function inFreshHome(work: (home: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'perennial-embedded-'))
  fs.chmodSync(folder, 0o755)
  try {
    await work(path.join(folder, 'postgres'))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const postmasterOf = (home: string) =>
  Number(fs.readFileSync(path.join(home, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])

it('keeps data from one start to the next, and stops without leaving a process', async () => {
  await inFreshHome(async (home) => {
    const first = await startEmbeddedPostgres({ home })
    await ask(first.url(), 'create table kept as select 42 as answer')
    await first.stop()
    expect(await findRunningEmbedded(home)).toBeUndefined()
    const second = await startEmbeddedPostgres({ home })
    expect(await ask(second.url(), 'select answer from kept')).toEqual([{ answer: 42 }])
    await second.stop()
  })
})

it('tells a second copy on the same data that one is running, and leaves that one alone', async () => {
  await inFreshHome(async (home) => {
    const server = await startEmbeddedPostgres({ home })
    await expect(startEmbeddedPostgres({ home })).rejects.toThrow('already running')
    expect(await ask(server.url(), 'select 1 as one')).toEqual([{ one: 1 }])
    await server.stop()
  })
})

it('gives two projects that run at the same time a port each', async () => {
  await inFreshHome((one) =>
    inFreshHome(async (other) => {
      const first = await startEmbeddedPostgres({ home: one, port: 47_311 })
      const second = await startEmbeddedPostgres({ home: other, port: 47_311 })
      expect(second.port).not.toBe(first.port)
      await Promise.all([first.stop(), second.stop()])
    }),
  )
})

it('goes on with every committed row after kill -9 of the server', async () => {
  await inFreshHome(async (home) => {
    const server = await startEmbeddedPostgres({ home })
    await ask(server.url(), 'create table kept as select generate_series(1, 1000) as row')
    process.kill(postmasterOf(home), 'SIGKILL')
    const again = await startEmbeddedPostgres({ home })
    expect(await ask(again.url(), 'select count(*)::int from kept')).toEqual([{ count: 1000 }])
    await again.stop()
  })
})

it('takes over the server that a process left behind when it was killed with -9', async () => {
  await inFreshHome(async (home) => {
    const script = `
      import { startEmbeddedPostgres } from '#app/db/embedded.server.ts'
      const server = await startEmbeddedPostgres({ home: ${JSON.stringify(home)} })
      console.log(server.port)
      setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const port = Number(await new Promise((resolve) => owner.stdout.once('data', resolve)))
    owner.kill('SIGKILL')
    await new Promise((resolve) => owner.once('exit', resolve))
    await wait(50) // The server needs a moment to see that its client is gone.
    const heir = await startEmbeddedPostgres({ home })
    expect(heir.port).toBe(port)
    await heir.stop()
  })
})

it('makes the data again where an earlier start died while making them', async () => {
  await inFreshHome(async (home) => {
    fs.mkdirSync(path.join(home, 'data.unfinished', 'base'), { recursive: true })
    const server = await startEmbeddedPostgres({ home })
    expect(await ask(server.url(), 'select 1 as one')).toEqual([{ one: 1 }])
    await server.stop()
  })
})

it('keeps the data beside the project where the server’s user may enter it, elsewhere where not', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'perennial-project-'))
  fs.chmodSync(folder, 0o755)
  expect(embeddedHome(folder)).toBe(path.join(fs.realpathSync(folder), '.data', 'postgres'))
  fs.chmodSync(folder, 0o700)
  const expected = process.getuid?.() === 0 ? /^\/var\/tmp\/perennial-[0-9a-f]{12}\/postgres$/ : /\.data\/postgres$/
  expect(embeddedHome(folder)).toMatch(expected)
  fs.rmSync(folder, { recursive: true })
})
