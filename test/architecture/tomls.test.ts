/**
 * The tomls that `shopify app deploy` sends. The Shopify CLI (4.8.2) accepts a misspelt target, a prefix that does not
 * exist, an API version of the future and a compliance topic in the wrong list without a word; the reader would be a
 * merchant. So they are read here against Shopify's own lists, as of API 2026-10.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { CUSTOMER_FIELDS } from '#app/shopify/customer.ts'
import { ORDER_FIELDS } from '#app/shopify/order.ts'
import { activitySchema } from '#app/shopify/record-activity.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const API_VERSION = '2026-10'

/** shopify.dev, webhook topics of 2026-10 that the app's scopes allow. */
const TOPICS = [
  'orders/create',
  'orders/paid',
  'orders/updated',
  'orders/edited',
  'orders/cancelled',
  'orders/delete',
  'refunds/create',
  'order_transactions/create',
  'customers/create',
  'customers/update',
  'customers/delete',
  'customers/enable',
  'customers/disable',
  'customers/merge',
  'customers/purchasing_summary',
  'products/create',
  'products/update',
  'products/delete',
  'collections/update',
  'discounts/create',
  'discounts/update',
  'discounts/delete',
  'discounts/redeemcode_added',
  'discounts/redeemcode_removed',
  'shop/update',
  'app/uninstalled',
  'app/scopes_update',
  'app_subscriptions/update',
  'bulk_operations/finish',
] as const
const COMPLIANCE_TOPICS = ['customers/data_request', 'customers/redact', 'shop/redact'] as const

/** shopify.dev, access scopes that an app of this kind may ask for. */
const SCOPES = [
  'read_customers',
  'write_customers',
  'read_customer_merge',
  'read_orders',
  'read_all_orders',
  'read_returns',
  'read_products',
  'read_discounts',
  'write_discounts',
  'write_app_proxy',
  'customer_read_customers',
  'write_store_credit_account_transactions',
  'read_store_credit_accounts',
  'write_gift_cards',
]

/** Function targets (schema functions_discount_2026-10) and UI targets (@shopify/ui-extensions 2026.7.4) that we may use. */
const FUNCTION_TARGETS = ['cart.lines.discounts.generate.run', 'cart.delivery-options.discounts.generate.run']
const UI_TARGETS = [
  'customer-account.page.render',
  'customer-account.order.page.render',
  'customer-account.profile.block.render',
  'customer-account.profile.announcement.render',
  'customer-account.order-index.block.render',
  'customer-account.order-index.announcement.render',
  'customer-account.order-status.block.render',
  'customer-account.order-status.announcement.render',
  'purchase.checkout.block.render',
  'purchase.checkout.reductions.render-after',
  'purchase.thank-you.block.render',
  'admin.customer-details.block.render',
  'admin.customer-details.action.render',
  'admin.order-details.block.render',
  'admin.discount-details.function-settings.render',
  'admin.customers.segmentation-templates.data',
  'pos.home.tile.render',
  'pos.home.modal.render',
  'pos.customer-details.block.render',
  'pos.customer-details.action.menu-item.render',
  'pos.customer-details.action.render',
  'pos.purchase.post.block.render',
  'pos.receipt-footer.block.render',
]

const handle = z.string().regex(/^[a-zA-Z0-9-]{1,50}$/, 'a handle is at most 50 letters, digits and hyphens')

const metafieldSchema = z.strictObject({
  type: z.enum(['json', 'number_integer', 'number_decimal', 'single_line_text_field', 'boolean', 'date_time', 'date']),
  name: z.string().min(1),
  description: z.string().optional(),
  access: z
    .strictObject({
      admin: z.enum(['merchant_read', 'merchant_read_write']),
      storefront: z.enum(['none', 'public_read']),
      // Never read_write: a shopper who can write the card writes points.
      customer_account: z.enum(['none', 'read']),
    })
    .partial(),
})

const appSchema = z.strictObject({
  client_id: z.string().regex(/^[0-9a-f]{32}$/),
  name: z.string().min(1).max(30),
  handle,
  application_url: z.url({ protocol: /^https$/ }),
  embedded: z.literal(true),
  build: z.strictObject({ automatically_update_urls_on_dev: z.boolean() }),
  access_scopes: z.strictObject({ scopes: z.string(), optional_scopes: z.array(z.enum(SCOPES)) }),
  access: z.strictObject({ admin: z.strictObject({ embedded_app_direct_api_access: z.literal(false) }) }),
  auth: z.strictObject({ redirect_urls: z.array(z.url({ protocol: /^https$/ })).min(1) }),
  webhooks: z.strictObject({
    api_version: z.literal(API_VERSION),
    subscriptions: z.array(
      z
        .strictObject({
          name: z.string().max(50),
          topics: z.array(z.enum(TOPICS)).min(1).optional(),
          compliance_topics: z.array(z.enum(COMPLIANCE_TOPICS)).min(1).optional(),
          uri: z.literal('/webhooks'),
          include_fields: z
            .array(z.string().regex(/^[a-z_]+$/))
            .min(1)
            .optional(),
        })
        .refine((one) => !one.topics !== !one.compliance_topics, 'either topics or compliance_topics'),
    ),
  }),
  app_proxy: z.strictObject({
    url: z.literal('/proxy'),
    prefix: z.enum(['apps', 'a', 'community', 'tools']),
    subpath: z.string().regex(/^[a-z0-9-]+$/),
  }),
  pos: z.strictObject({ embedded: z.boolean() }),
  customer: z.strictObject({
    metafields: z.strictObject({ app: z.record(z.string().regex(/^[a-z0-9_]{2,64}$/), metafieldSchema) }),
  }),
})

const themeSchema = z.strictObject({ name: z.string().min(1), type: z.literal('theme'), uid: z.string().optional() })

const targetingSchema = z.looseObject({ target: z.enum([...FUNCTION_TARGETS, ...UI_TARGETS]) })
const extensionsSchema = z.looseObject({
  api_version: z.enum(['2026-07', API_VERSION]).optional(),
  extensions: z
    .array(
      z.looseObject({
        type: z.enum(['function', 'ui_extension', 'flow_action', 'flow_trigger']),
        handle,
        targeting: z.array(targetingSchema).optional(),
      }),
    )
    .min(1),
})

/** shopify.dev, Flow trigger reference: a reference has no key, every other field has one of letters and spaces. */
const flowTriggerSchema = z.strictObject({
  name: z.string().min(1).max(50),
  type: z.literal('flow_trigger'),
  handle: handle.max(30),
  description: z.string().min(1),
  settings: z.strictObject({
    fields: z.array(
      z.union([
        z.strictObject({ type: z.enum(['customer_reference', 'order_reference', 'product_reference']) }),
        z.strictObject({
          type: z.enum(['boolean', 'email', 'single_line_text_field', 'url', 'number_decimal']),
          key: z.string().regex(/^[A-Za-z][A-Za-z ]*$/),
          description: z.string().min(1),
        }),
      ]),
    ),
  }),
})

/** shopify.dev, Flow action reference: fields are as a trigger's, and have a label; where the app is called is one of its own routes. */
const flowActionSchema = z.strictObject({
  name: z.string().min(1).max(50),
  type: z.literal('flow_action'),
  handle: handle.max(30),
  description: z.string().min(1),
  runtime_url: z.string().regex(/^\/flow\/[a-z-]+$/),
  settings: z.strictObject({
    fields: z.array(
      z.union([
        z.strictObject({ type: z.literal('customer_reference'), required: z.boolean() }),
        z.strictObject({
          type: z.enum(['single_line_text_field', 'number_decimal', 'boolean']),
          key: z.string().regex(/^[a-z]+(-[a-z]+)*$/),
          name: z.string().min(1),
          description: z.string().min(1),
          required: z.boolean(),
        }),
      ]),
    ),
  }),
})

function readToml(file: string): unknown {
  return parse(readFileSync(path.join(ROOT, file), 'utf8'))
}

const app = appSchema.parse(readToml('shopify.app.toml'))
const extensionFiles = globSync('extensions/*/shopify.extension.toml', { cwd: ROOT }).sort()

test('the app asks for each scope once, and for none that Shopify does not know', () => {
  const scopes = app.access_scopes.scopes.split(',')
  expect(scopes.filter((scope) => !SCOPES.includes(scope))).toEqual([])
  expect(new Set([...scopes, ...app.access_scopes.optional_scopes]).size).toBe(
    scopes.length + app.access_scopes.optional_scopes.length,
  )
})

test('every topic is subscribed once, and all three compliance topics are', () => {
  const topics = app.webhooks.subscriptions.flatMap((one) => one.topics ?? [])
  expect(new Set(topics).size).toBe(topics.length)
  const compliance = app.webhooks.subscriptions.flatMap((one) => one.compliance_topics ?? [])
  expect(compliance.sort()).toEqual([...COMPLIANCE_TOPICS].sort())
})

test('Shopify is asked for every field that is read of an order or a customer, and for no other but the time of the change', () => {
  const askedFor = (topic: string) =>
    app.webhooks.subscriptions.find((one) => one.topics?.includes(topic as never))!.include_fields?.toSorted()
  expect(askedFor('orders/paid')).toEqual(Object.keys(ORDER_FIELDS).sort())
  // Two changes without it could be taken for one: shopify.dev, "Modify your payloads".
  expect(askedFor('customers/update')).toEqual([...Object.keys(CUSTOMER_FIELDS), 'updated_at'].sort())
})

test('each subscription says in the comment above it which existing file answers it', () => {
  const source = readFileSync(path.join(ROOT, 'shopify.app.toml'), 'utf8')
  const above = source.split('[[webhooks.subscriptions]]').slice(0, -1)
  expect(above).toHaveLength(app.webhooks.subscriptions.length)
  for (const text of above) {
    const named = /Handled by: (app\/[\w./*-]+)/.exec(text.slice(text.lastIndexOf('\n\n')))?.[1]
    expect(named, `no "Handled by" above a subscription: …${text.slice(-200)}`).toBeDefined()
    expect(existsSync(path.join(ROOT, named!)), `${named} does not exist`).toBe(true)
  }
})

test('the app proxy points at routes that exist', () => {
  expect(globSync('app/routes/proxy.*', { cwd: ROOT })).not.toEqual([])
})

test('nobody but the app may write a metafield that holds points', () => {
  for (const definition of Object.values(app.customer.metafields.app)) {
    expect(definition.access.admin).toBe('merchant_read')
    expect(definition.access.storefront).toBe('none')
  }
})

test('the commands that `shopify app dev` runs are scripts of this project', () => {
  const web = z
    .strictObject({
      name: z.string(),
      roles: z.array(z.enum(['frontend', 'backend', 'background'])),
      webhooks_path: z.literal('/webhooks'),
      commands: z.record(z.enum(['predev', 'dev']), z.string()),
    })
    .parse(readToml('shopify.web.toml'))
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
  for (const command of Object.values(web.commands)) {
    expect(Object.keys(scripts)).toContain(/^npm run ([\w:-]+)$/.exec(command)?.[1])
  }
})

test('there are extensions to check', () => {
  expect(extensionFiles).not.toEqual([])
})

test.each(extensionFiles)('%s names a known type, known targets, and files that exist', (file) => {
  const folder = path.dirname(path.join(ROOT, file))
  const toml = z.union([themeSchema, extensionsSchema]).parse(readToml(file))
  if ('type' in toml && toml.type === 'theme') {
    const folders = globSync('*', { cwd: folder }).filter((name) => !name.includes('.'))
    expect(folders.filter((name) => !['assets', 'blocks', 'snippets', 'locales'].includes(name))).toEqual([])
    return
  }
  const { extensions, settings } = extensionsSchema.parse(toml)
  for (const extension of extensions) {
    for (const target of extension.targeting ?? []) {
      const allowed = extension.type === 'function' ? FUNCTION_TARGETS : UI_TARGETS
      expect(allowed).toContain(target.target)
      for (const named of [target.input_query, target.module].filter((name) => typeof name === 'string'))
        expect(existsSync(path.join(folder, named)), `${file} names ${named}`).toBe(true)
      if (extension.type === 'function' && (extension.targeting ?? []).length > 1)
        expect(target.export).toMatch(/^[a-z]+(-[a-z]+)*$/)
    }
    checkBuild(folder, file, extension)
    if (extension.type === 'flow_trigger') flowTriggerSchema.parse({ ...extension, settings })
    if (extension.type === 'flow_action') checkFlowAction(flowActionSchema.parse({ ...extension, settings }))
  }
})

/** Flow calls a route of this app, which reads each of the fields by its name and requires those that the merchant must fill in. */
function checkFlowAction({ runtime_url, settings: { fields } }: z.infer<typeof flowActionSchema>) {
  const route = runtime_url.split('/').slice(1).join('.')
  expect(existsSync(path.join(ROOT, `app/routes/${route}.ts`)), `${runtime_url} is no route`).toBe(true)
  const named = fields.map((field) => ({ ...field, key: 'key' in field ? field.key : 'customer_id' }))
  expect(named.map(({ key }) => key).sort()).toEqual(Object.keys(activitySchema.shape).sort())
  const whole = { customer_id: '1', activity: 'review', reference: 'r' }
  for (const { key, required } of named) {
    expect(activitySchema.safeParse({ ...whole, [key]: undefined }).success, key).toBe(!required)
  }
}

/** The CLI runs a build command without a shell, so quotes and pipes in it would silently do nothing. */
function checkBuild(folder: string, file: string, extension: Record<string, unknown>) {
  const build = z
    .looseObject({ command: z.string().optional(), path: z.string().optional() })
    .optional()
    .parse(extension.build)
  if (!build?.command) return
  expect(build.command, `${file}: build.command is not run by a shell`).not.toMatch(/["'|&;<>$`]/)
  const script = /^node (\S+)$/.exec(build.command)?.[1]
  if (script) expect(existsSync(path.join(folder, script)), `${file} builds with ${script}`).toBe(true)
}
