import { z } from 'zod'

/** The settings that the process reads from its surroundings, all of them, each with what it is for. */
const environmentSchema = z.object({
  /** The PostgreSQL that keeps everything. `npm start` fills it in with the embedded one. */
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: 'must look like postgresql://user:password@host:5432/name',
  }),
  /** Client id of the app, from Shopify's developer dashboard. */
  SHOPIFY_API_KEY: z.string().min(1),
  /** Client secret of the app: signs webhooks, session tokens and proxy requests. */
  SHOPIFY_API_SECRET: z.string().min(1),
  /** Where Shopify reaches this app, for example https://loyalty.example.com */
  SHOPIFY_APP_URL: z.url(),
  /** Key for the access tokens kept in the database: 32 bytes, base64 (`openssl rand -base64 32`). */
  ENCRYPTION_KEY: z.base64().refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes in base64'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Another address for Shopify's App Bridge script; only the dev store sets it. */
  APP_BRIDGE_URL: z.string().min(1).optional(),
  /** `off` leaves the jobs to `npm run worker` processes. */
  WORKER: z.enum(['on', 'off']).default('on'),
})

/** The settings of the process, checked. */
export type Environment = z.infer<typeof environmentSchema>

let known: Environment | undefined

/**
 * The checked settings, read once. Throws one error that names every setting that is missing or wrong and never shows
 * a value, since most of them are secrets.
 */
export function env(): Environment {
  known ??= parseEnvironment(process.env)
  return known
}

/** As `env`, from the given variables. */
export function parseEnvironment(source: Record<string, string | undefined>): Environment {
  // `shopify app dev` says where its tunnel is as HOST.
  const parsed = environmentSchema.safeParse({ ...source, SHOPIFY_APP_URL: source.SHOPIFY_APP_URL ?? source.HOST })
  if (parsed.success) return parsed.data
  const complaints = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`The environment is not complete (see .env.example):\n${complaints.join('\n')}`)
}

/** The database's address alone, for commands that need no Shopify settings. Throws when it is missing or malformed. */
export function databaseUrl(): string {
  const parsed = environmentSchema.shape.DATABASE_URL.safeParse(process.env.DATABASE_URL)
  if (parsed.success) return parsed.data
  throw new Error('DATABASE_URL is not set to a PostgreSQL address (postgresql://user:password@host:5432/name).')
}
