/** A shopper without a browser: follows redirects, keeps cookies, fills in forms. For tests of the storefront. */
import type { Storefront } from './storefront/storefront.ts'

export type Shopper = {
  get: (path: string) => Promise<Page>
  post: (path: string, fields?: Record<string, string>) => Promise<Page>
  cookies: Map<string, string>
}

/** What a shopper sees: the page's text without markup, its HTML, where it is. */
export type Page = { status: number; path: string; html: string; text: string; headers: Headers }

const ORIGIN = 'http://shop.localhost'

/** A shopper with an empty cookie jar. */
export function newShopper(storefront: Storefront): Shopper {
  const cookies = new Map<string, string>()
  const send = async (path: string, init: RequestInit, hops = 0): Promise<Page> => {
    const headers = new Headers(init.headers)
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await storefront.handle(new Request(ORIGIN + path, { ...init, headers }))
    if (!response) throw new Error(`The storefront does not answer ${path}.`)
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0]!.split('=')
      if (value) cookies.set(name!, value)
      else cookies.delete(name!)
    }
    const location = response.headers.get('location')
    if (response.status === 303 && location !== null && hops < 5) return send(location, {}, hops + 1)
    const html = await response.text()
    return { status: response.status, path, html, text: textOf(html), headers: response.headers }
  }
  return {
    cookies,
    get: (path) => send(path, {}),
    post: (path, fields = {}) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
  }
}

function textOf(html: string): string {
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&#34;': '"',
    '&quot;': '"',
    '&#39;': "'",
  }
  return html
    .replace(/<(script|style|template)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|#34|quot|#39);/g, (entity) => entities[entity]!)
    .replace(/\s+/g, ' ')
}
