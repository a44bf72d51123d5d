import { defineConfig } from 'vitest/config'

/** Rooms whose tests need nothing but the code. */
const pure = ['loyalty', 'retention', 'extensions', 'commands', 'architecture', 'ui'].map(
  (room) => `test/${room}/**/*.test.{ts,tsx}`,
)
/** Rooms whose tests run on a real PostgreSQL, one database cloned for each file. */
const database = ['db', 'jobs', 'shopify', 'routes', 'dev-store', 'server', 'faults'].map(
  (room) => `test/${room}/**/*.test.{ts,tsx}`,
)

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // Properties run thousands of cases: on a busy machine they take their time, which is no failure.
      {
        extends: true,
        test: { name: 'pure', include: pure, setupFiles: ['./test/setup/properties.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: database,
          globalSetup: './test/setup/postgres.ts',
          setupFiles: ['./test/setup/properties.ts', './test/setup/database.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['./test/setup/postgres.ts', './test/e2e/global.ts'],
          setupFiles: ['./test/setup/database.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
