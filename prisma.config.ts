import { defineConfig } from 'prisma/config'
import { migrationAdapter } from './prisma/migration-adapter.ts'

// The CLI looks for native engines on the internet unless it is told of a file; `engine: 'js'` never runs it.
process.env.PRISMA_QUERY_ENGINE_LIBRARY ??= process.execPath
// `generate` needs no database, but an unset env("DATABASE_URL") sends the CLI looking for engines too.
const connectionString = (process.env.DATABASE_URL ??= 'postgresql://perennial@127.0.0.1:5432/perennial')
process.env.CHECKPOINT_DISABLE ??= '1'

// The WebAssembly engine never clears its timer of 10 s for the migration lock; left alone it keeps the CLI waiting.
const later = globalThis.setTimeout
globalThis.setTimeout = Object.assign((...call: Parameters<typeof later>) => {
  const timer = later(...call)
  if (call[1] === 10_000) timer.unref()
  return timer
}, later) as typeof later

export default defineConfig({
  schema: 'prisma/schema.prisma',
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => migrationAdapter(connectionString),
})
