/** HTML as text, with everything that is put in escaped unless it was made here. */

/** Markup that is safe to put in as it is. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = Html | string | number | null | undefined | false | Part[]

/** A template whose values are escaped; arrays are joined, null and false leave nothing. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(strings.map((text, index) => text + (index < values.length ? show(values[index]) : '')).join(''))
}

function show(value: Part): string {
  if (value === null || value === undefined || value === false) return ''
  if (Array.isArray(value)) return value.map(show).join('')
  return value instanceof Html ? value.text : escape(String(value))
}

function escape(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => names[character]!)
}

/** A page as a response. Nothing outside the dev store may frame it or run in it, save the app in its frame. */
export function htmlResponse(page: Html, status = 200): Response {
  return new Response(page.text, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-frame-options': 'DENY' },
  })
}

/** Sends the browser on with GET. */
export function goTo(path: string): Response {
  return new Response(null, { status: 303, headers: { location: path } })
}
