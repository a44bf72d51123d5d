import { z } from 'zod'

/** The settings that the process reads from its surroundings, all of them, each with what it is for and what is allowed, as it is told where it is wrong. */
const environmentSchema = z.object({
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe('the PostgreSQL that keeps everything, like postgresql://user:password@host:5432/name'),
  SHOPIFY_API_KEY: z.string().min(1).describe('the client id of the app, from Shopify’s Dev Dashboard'),
  SHOPIFY_API_SECRET: z
    .string()
    .min(1)
    .describe('the client secret of the app, from Shopify’s Dev Dashboard: it signs webhooks and sign-ins'),
  SHOPIFY_APP_URL: z
    .url({ protocol: /^https?$/ })
    .describe('where Shopify reaches this app, like https://loyalty.example.com'),
  ENCRYPTION_KEY: z
    .base64()
    .refine((text) => Buffer.from(text, 'base64').length === 32)
    .describe('32 bytes in base64 (make them with: openssl rand -base64 32), which encrypt Shopify’s tokens'),
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .describe('the port that the app listens on, a whole number from 0 to 65535; left out, 3000'),
  APP_BRIDGE_URL: z
    .string()
    .min(1)
    .optional()
    .describe('another address for Shopify’s App Bridge script, which only the dev store sets; otherwise leave it out'),
  WORKER: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'whether this process does the jobs too, on or off (then `npm run worker` processes do them); left out, on',
    ),
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
  const names = new Set(parsed.error.issues.map(({ path }) => path[0] as keyof Environment))
  const complaints = [...names].map((name) => `  ${complain(name, source[name])}`)
  throw new Error(`Some settings are missing or wrong (see .env.example):\n${complaints.join('\n')}`)
}

/** "PORT is not as it should be: the port that …". Never with the value. */
function complain(name: keyof Environment, value: string | undefined): string {
  return `${name} ${value ? 'is not as it should be' : 'is missing'}: ${environmentSchema.shape[name].description}`
}

/** The database's address alone, for commands that need no Shopify settings. Throws when it is missing or malformed. */
export function databaseUrl(): string {
  const given = process.env.DATABASE_URL
  const parsed = environmentSchema.shape.DATABASE_URL.safeParse(given)
  if (parsed.success) return parsed.data
  throw new Error(complain('DATABASE_URL', given))
}
