import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, inject } from 'vitest'
import { closeDatabase } from '#app/db/client.server.ts'

/** A database for this test file alone, cloned from the migrated template, and the settings that a process needs. */
const server = inject('postgresUrl')
const name = `test_${randomBytes(8).toString('hex')}`
const client = new pg.Client({ connectionString: server })
await client.connect()
await client.query(`create database ${name} template template_migrated`)

const url = new URL(server)
url.pathname = `/${name}`
Object.assign(process.env, {
  DATABASE_URL: url.href,
  SHOPIFY_API_KEY: 'test-api-key',
  SHOPIFY_API_SECRET: 'test-api-secret',
  SHOPIFY_APP_URL: 'https://perennial.example.com',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  PORT: '0',
})

afterAll(async () => {
  await closeDatabase()
  await client.query(`drop database ${name} with (force)`)
  await client.end()
})
