/** `shop`, the app's installation, scopes, Functions, and what several types share. */
import { readExtensionFiles } from '../extension-files.ts'
import { APP_ID } from '../state.ts'
import type { Installation, Shop } from '../records.ts'
import { connection, connectionFields, dateTime, fieldsOf, properties, type Fields } from './context.ts'
import { metafieldFieldsOf } from './metafields.ts'

const PLAN_NAMES = { basic: 'Basic', advanced: 'Advanced', plus: 'Plus' }

/** Fields of the shop and of the app in it. */
export const shopFields: Fields = {
  ...fieldsOf<Shop>('Shop', {
    id: (shop) => shop.id,
    name: (shop) => shop.name,
    email: (shop) => shop.email,
    contactEmail: (shop) => shop.email,
    myshopifyDomain: (shop) => shop.domain,
    url: (shop) => `https://${shop.domain}`,
    primaryDomain: (shop) => ({
      id: shop.id.replace('/Shop/', '/Domain/'),
      host: shop.domain,
      url: `https://${shop.domain}`,
    }),
    currencyCode: (shop) => shop.currency,
    enabledPresentmentCurrencies: (shop) => [shop.currency, ...Object.keys(shop.presentmentRates)],
    ianaTimezone: (shop) => shop.timezone,
    timezoneOffsetMinutes: (shop, _args, { store }) => offsetMinutes(shop.timezone, store.now()),
    taxesIncluded: (shop) => shop.taxesIncluded,
    createdAt: (shop) => dateTime(shop.createdAt),
    plan: (shop) => ({
      publicDisplayName: PLAN_NAMES[shop.plan],
      displayName: PLAN_NAMES[shop.plan],
      shopifyPlus: shop.plan === 'plus',
      partnerDevelopment: true,
    }),
    ...metafieldFieldsOf<Shop>(),
  }),
  ...fieldsOf('ShopPlan', properties('publicDisplayName', 'displayName', 'shopifyPlus', 'partnerDevelopment')),
  ...fieldsOf('Domain', properties('id', 'host', 'url')),
  ...fieldsOf<Installation>('AppInstallation', {
    id: (installation) => installation.id,
    accessScopes: (installation) => installation.scopes.map((handle) => ({ handle })),
    activeSubscriptions: () => [],
    app: (_installation, _args, { store }) => appOf(store.app.name, store.app.handle, store.options.apiKey),
    launchUrl: (_installation, _args, { domain, store }) =>
      `https://admin.shopify.com/store/${domain.replace('.myshopify.com', '')}/apps/${store.app.handle}`,
    ...metafieldFieldsOf<Installation>(),
  }),
  ...fieldsOf('AccessScope', properties('handle')),
  ...fieldsOf('App', { ...properties('id', 'handle', 'title', 'apiKey', 'embedded') }),
  ...fieldsOf('PageInfo', properties('hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor')),
  ...fieldsOf('MoneyV2', properties('amount', 'currencyCode')),
  ...fieldsOf('MoneyBag', properties('shopMoney', 'presentmentMoney')),
  ...fieldsOf('Count', properties('count', 'precision')),
  ...fieldsOf('UserError', properties('field', 'message')),
  ...fieldsOf('Attribute', properties('key', 'value')),
  ...fieldsOf('Job', properties('id', 'done')),
  ...fieldsOf('ShopifyFunction', {
    ...properties('id', 'title', 'handle', 'apiType', 'apiVersion', 'description', 'useCreationUi', 'appKey'),
  }),
  ...connectionFields('ShopifyFunction'),
  // Billing is not imitated: no subscription ever exists, so these are never asked of one.
  ...fieldsOf('AppSubscription', properties('id', 'name', 'status', 'test', 'currentPeriodEnd')),
}

/** The roots of this file. */
export const shopRoots = fieldsOf<null>('QueryRoot', {
  shop: (_root, _args, { store, domain }) => store.shop(domain),
  currentAppInstallation: (_root, _args, { store, domain }) => store.shop(domain).installation,
  app: (_root, _args, { store }) => appOf(store.app.name, store.app.handle, store.options.apiKey),
  shopifyFunctions: (_root, args) => connection(functions(), args),
})

/** The app's Functions, as their tomls name them; the storefront runs the bundle. */
function functions() {
  const files = readExtensionFiles().filter((extension) => extension.type === 'function')
  return files.map(({ handle, apiVersion }, index) => ({
    id: `0199c0de-0000-7000-8000-${String(index + 1).padStart(12, '0')}`,
    title: handle,
    handle,
    apiType: 'discount',
    apiVersion,
    description: null,
    useCreationUi: false,
    appKey: APP_ID,
  }))
}

/** The Function with this handle or id, if the app has it. */
export function findFunction(name: string | null | undefined) {
  return functions().find((each) => each.handle === name || each.id === name) ?? null
}

function appOf(title: string, handle: string, apiKey: string) {
  return { id: `gid://shopify/App/${APP_ID}`, title, handle, apiKey, embedded: true }
}

function offsetMinutes(timezone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
  const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT'
  const match = /([+-])(\d{2}):(\d{2})/.exec(name)
  return match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0
}
