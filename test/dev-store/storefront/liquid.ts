/**
 * Liquid as Shopify runs it, as far as our blocks need it: liquidjs with the filters and tags that Shopify adds. What is not
 * imitated fails loudly with its name, so that a block which works here does not rest on something nobody checked.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultOperators, Drop, Liquid, Tag } from 'liquidjs'
import type { Operators, TagToken, TopLevelToken } from 'liquidjs'
import { exponentOf } from '../money.ts'

/** A theme app extension on disk. */
export type Extension = { folder: string; name: string }

type BlockSchema = {
  name: string
  target: 'section' | 'head' | 'body' | 'compliance_head'
  stylesheet?: string
  javascript?: string
  enabled_on?: { templates?: string[] }
  disabled_on?: { templates?: string[] }
  settings?: { id?: string; default?: unknown }[]
}

/** A block as it lies in the extension. */
export type Block = { handle: string; source: string; schema: BlockSchema }

/** The blocks of an extension by handle; none where it has no `blocks/`. A block without a schema is an error that names it. */
export function readBlocks({ folder }: Extension): Block[] {
  const blocks = join(folder, 'blocks')
  if (!existsSync(blocks)) return []
  return readdirSync(blocks)
    .filter((file) => file.endsWith('.liquid'))
    .map((file) => {
      const source = readFileSync(join(blocks, file), 'utf8')
      const schema = /{%-?\s*schema\s*-?%}([\s\S]*?){%-?\s*endschema\s*-?%}/.exec(source)?.[1]
      if (schema === undefined) throw new Error(`${join(blocks, file)} has no {% schema %}.`)
      return { handle: file.slice(0, -'.liquid'.length), source, schema: JSON.parse(schema) as BlockSchema }
    })
}

/** Whether a block may stand on a template, by its `enabled_on` and `disabled_on`. */
export function isEnabledOn({ schema }: Block, template: string): boolean {
  const named = (templates: string[] | undefined) => templates?.some((each) => each === '*' || each === template)
  if (schema.disabled_on && named(schema.disabled_on.templates)) return false
  return schema.enabled_on?.templates ? named(schema.enabled_on.templates)! : true
}

/** A renderer for the blocks of one extension. */
export class BlockRenderer {
  readonly extension: Extension
  private readonly liquid: Liquid
  private readonly currency: string
  private readonly language: string

  /** `language`: of the page, "de". Where the extension has no words of it, it speaks English, as on Shopify. */
  constructor(extension: Extension, currency: string, language: string) {
    this.extension = extension
    this.currency = currency
    this.language = language
    this.liquid = new Liquid({
      root: [join(extension.folder, 'blocks'), join(extension.folder, 'snippets')],
      partials: join(extension.folder, 'snippets'),
      extname: '.liquid',
      strictFilters: true,
      operators: OPERATORS,
    })
    for (const name of ['schema', 'doc', 'stylesheet', 'javascript']) this.liquid.registerTag(name, skippedTag(name))
    this.addFilters()
  }

  /** The block's HTML in the wrapper that Shopify puts around an app block. `globals` are Shopify's Liquid objects. */
  async render(block: Block, id: string, globals: Record<string, unknown>): Promise<string> {
    const settings = Object.fromEntries(
      (block.schema.settings ?? []).flatMap((setting) => (setting.id ? [[setting.id, setting.default ?? null]] : [])),
    )
    const own = {
      block: { id, type: `shopify://apps/perennial/blocks/${block.handle}`, settings, shopify_attributes: '' },
    }
    const html = await this.liquid.parseAndRender(block.source, own, { globals: { ...globals, ...own } })
    const wrapper = 'shopify-block shopify-app-block'
    return `<div id="shopify-block-${id}" class="${wrapper}" data-block-handle="${block.handle}">${html}</div>`
  }

  /** Liquid that the app sent by the proxy as `application/liquid`. */
  async renderText(source: string, globals: Record<string, unknown>): Promise<string> {
    return (await this.liquid.parseAndRender(source, {}, { globals })) as string
  }

  /** Where a file of `assets/` is served. */
  assetUrl(file: string): string {
    return `/cdn/extensions/${this.extension.name}/assets/${file}`
  }

  private addFilters(): void {
    const { language } = this
    const words = readLocale(this.extension, language)
    this.liquid.registerFilter('t', (key: unknown, ...args: unknown[]) =>
      translate(words, String(key), namedArgs(args)),
    )
    this.liquid.registerFilter('asset_url', (file: unknown) => this.assetUrl(String(file)))
    const money = (style: 'short' | 'code' | 'bare') => (cents: unknown) => {
      if (cents === null || cents === undefined || cents === '') return ''
      return formatMoney(Number(cents) / 100, this.currency, style)
    }
    this.liquid.registerFilter('money', money('short'))
    this.liquid.registerFilter('money_with_currency', money('code'))
    this.liquid.registerFilter('money_without_currency', money('bare'))
    const handleize = (text: unknown) =>
      String(text)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '')
    this.liquid.registerFilter('handleize', handleize)
    this.liquid.registerFilter('handle', handleize)
    this.liquid.registerFilter('pluralize', (count: unknown, one: string, other: string) =>
      Number(count) === 1 ? one : other,
    )
    const plainDate = this.liquid.filters['date'] as (this: unknown, value: unknown, ...rest: unknown[]) => unknown
    this.liquid.registerFilter('date', function date(this: unknown, value: unknown, ...args: unknown[]) {
      const { format } = namedArgs(args)
      return format === undefined ? plainDate.call(this, value, ...args) : namedDate(value, String(format), language)
    })
  }
}

/** On Shopify a variable assigned `null` is blank; liquidjs keeps its own null object, which is not. */
const plain = (value: unknown) => (value instanceof Drop && value.valueOf() === null ? null : value)
const OPERATORS: Operators = {
  ...defaultOperators,
  '==': (left, right, context) => defaultOperators['==']!(plain(left), plain(right), context) as boolean,
  '!=': (left, right, context) => defaultOperators['!=']!(plain(left), plain(right), context) as boolean,
}

/** A tag whose content is not shown. */
function skippedTag(name: string) {
  return class extends Tag {
    constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
      super(token, remaining, liquid)
      while (remaining.length > 0) {
        const next = remaining.shift()!
        if ((next as TagToken).name === `end${name}`) return
      }
      throw new Error(`tag {% ${name} %} not closed`)
    }
    override *render(): Generator<unknown, void, unknown> {}
  }
}

type Words = { [key: string]: string | Words }

/** The languages that an extension speaks besides English, as its locale files name them. */
export function listLanguages({ folder }: Extension): string[] {
  const files = readdirSync(join(folder, 'locales'))
  return files.flatMap((file) => /^([a-z]{2}(?:-[A-Z]{2})?)\.json$/.exec(file)?.[1] ?? []).sort()
}

function readLocale({ folder }: Extension, language: string): Words {
  const files = [`${language}.json`, 'en.default.json'].map((name) => join(folder, 'locales', name))
  const file = files.find((each) => existsSync(each))
  return file ? (JSON.parse(readFileSync(file, 'utf8')) as Words) : {}
}

/** Shopify's `t`: a key of the locale file, its `{{ name }}` filled in; `count` chooses `one` or `other`. */
function translate(words: Words, key: string, values: Record<string, unknown>): string {
  let found: string | Words | undefined = words
  for (const part of key.split('.')) found = typeof found === 'object' ? found[part] : undefined
  if (typeof found === 'object' && 'count' in values) found = Number(values.count) === 1 ? found.one : found.other
  if (typeof found !== 'string') throw new Error(`No text "${key}" in the locale file.`)
  const text = found.replace(/{{\s*(\w+)\s*}}/g, (_, name: string) => {
    if (!(name in values)) throw new Error(`The text "${key}" needs "${name}", which was not given.`)
    return String(values[name] ?? '')
  })
  return key.endsWith('_html') ? text : escapeHtml(text)
}

/** liquidjs hands `filter: name: value` over as pairs. */
function namedArgs(args: unknown[]): Record<string, unknown> {
  return Object.fromEntries(args.filter((arg): arg is [string, unknown] => Array.isArray(arg) && arg.length === 2))
}

/** The date formats of Shopify's locale files that go by a name. */
function namedDate(value: unknown, format: string, language: string): string {
  const styles: Record<string, Intl.DateTimeFormatOptions> = {
    date: { dateStyle: 'long' },
    abbreviated_date: { dateStyle: 'medium' },
    date_at_time: { dateStyle: 'long', timeStyle: 'short' },
  }
  const style = styles[format]
  if (!style) throw new Error(`The dev store does not imitate the date format "${format}".`)
  // Liquid takes whole numbers for seconds (Shopify/liquid, Utils.to_date).
  const at = /^\d+$/.test(String(value)) ? Number(value) * 1000 : Date.parse(String(value))
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...style, timeZone: 'UTC' }).format(at)
}

/**
 * An amount as the theme writes it: `short` with the plain sign ("$5.00"), `foreign` with one that tells dollars apart
 * ("CA$5.00"), `code` with the currency's code behind, `bare` without any.
 */
export function formatMoney(
  amount: number,
  currency: string,
  style: 'short' | 'foreign' | 'code' | 'bare' = 'short',
): string {
  const digits = exponentOf(currency)
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  if (style === 'bare') return new Intl.NumberFormat('en-GB', options).format(amount)
  const currencyDisplay = style === 'foreign' ? 'symbol' : 'narrowSymbol'
  const format = new Intl.NumberFormat('en-GB', { ...options, style: 'currency', currency, currencyDisplay })
  return style === 'code' ? `${format.format(amount)} ${currency}` : format.format(amount)
}

/** Text made safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}
