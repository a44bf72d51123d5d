/** Requests and replies of the storefront: cookies, forms, redirects. */

/** The cookies of a request by name. */
export function readCookies(request: Request): Map<string, string> {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('='))
  return new Map(pairs.filter(([name]) => name).map(([name, ...value]) => [name!, decodeURIComponent(value.join('='))]))
}

/** A cookie for the whole shop, out of reach of scripts; an empty value ends it. */
export function setCookie(name: string, value: string): string {
  const life = value === '' ? 'Max-Age=0' : 'Max-Age=31536000'
  return `${name}=${encodeURIComponent(value)}; Path=/; HttpOnly; SameSite=Lax; ${life}`
}

/** The fields of a posted form, text only. */
export async function readForm(request: Request): Promise<Map<string, string>> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.includes('form')) return new Map()
  const data = await request.formData()
  return new Map([...data].map(([name, value]) => [name, typeof value === 'string' ? value : '']))
}

/** A page. Storefront pages are made for one shopper and never kept by a cache. */
export function page(html: string, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(html, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}

/** "See other": what to show after a form. Only paths of this shop; anything else goes to the home page. */
export function redirect(path: string, cookies: string[] = []): Response {
  const headers = new Headers({ location: isOwnPath(path) ? path : '/', 'cache-control': 'no-store' })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}

/** Whether a path stays on this origin: `//elsewhere` and `/\elsewhere` do not. */
export function isOwnPath(path: string): boolean {
  return /^\/(?![/\\])/.test(path)
}

/** A whole number from a field between two bounds, or null. */
export function wholeNumber(text: string | undefined | null, least: number, most: number): number | null {
  if (text == null || !/^\d{1,9}$/.test(text)) return null
  const number = Number(text)
  return number >= least && number <= most ? number : null
}
