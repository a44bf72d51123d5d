/** The admin's frame: top bar, sidebar, and room for one page. */
import type { Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { html, type Html } from './html.ts'

export type Section = 'orders' | 'customers' | 'products' | 'discounts' | 'app' | 'settings'

const SECTIONS: { section: Section; path: string; label: string }[] = [
  { section: 'orders', path: '/orders', label: 'Orders' },
  { section: 'products', path: '/products', label: 'Products' },
  { section: 'customers', path: '/customers', label: 'Customers' },
  { section: 'discounts', path: '/discounts', label: 'Discounts' },
  { section: 'settings', path: '/settings', label: 'Apps and permissions' },
]

/** `/store/tea` for tea.myshopify.com. */
export function baseOf(shop: Shop): string {
  return `/store/${shop.domain.replace('.myshopify.com', '')}`
}

export type PageOptions = {
  store: DevStore
  shop: Shop
  section: Section
  title: string
  body: Html
  /** The app's frame fills the page and brings its own script. */
  framed?: boolean
  notice?: string | null
}

/** A whole page of the admin. */
export function layout({ store, shop, section, title, body, framed, notice }: PageOptions): Html {
  const base = baseOf(shop)
  const link = (each: (typeof SECTIONS)[number]) =>
    html`<li>
      <a href="${base}${each.path}" ${section === each.section ? html`aria-current="page"` : ''}>${each.label}</a>
    </li>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${shop.name}</title>
        <link
          rel="icon"
          href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='%23303030'/></svg>"
        />
        <link rel="stylesheet" href="/admin/assets/admin.css" />
        <script src="/admin/assets/admin.js" defer></script>
        ${framed ? html`<script src="/admin/assets/frame.js" defer></script>` : ''}
      </head>
      <body class="${framed ? 'framed' : ''}">
        <a class="skip" href="#main">Skip to content</a>
        <header class="top">
          <button type="button" id="sidebar-toggle" aria-expanded="false" aria-controls="sidebar">
            <span aria-hidden="true">☰</span><span class="quiet">Menu</span>
          </button>
          <span class="mark">Dev store</span>
          <div class="shop">${shops(store, shop)}</div>
          <div id="save-bar" role="region" aria-label="Unsaved changes" hidden>
            <span>Unsaved changes</span>
            <button type="button" id="save-bar-discard">Discard</button>
            <button type="button" id="save-bar-save" class="primary">Save</button>
          </div>
        </header>
        <nav id="sidebar" aria-label="Admin">
          <ul>
            ${SECTIONS.slice(0, 4).map(link)}
          </ul>
          <h2>Apps</h2>
          <ul>
            <li>
              <a
                id="app-home"
                href="${base}/apps/${store.app.handle}"
                ${section === 'app' ? html`aria-current="true"` : ''}
                >${store.app.name}</a
              >
              <ul id="app-menu"></ul>
            </li>
          </ul>
          <ul class="last">
            ${SECTIONS.slice(4).map(link)}
            <li><a href="/" target="_blank">View storefront</a></li>
            <li><a href="/dev" target="_blank">Control page</a></li>
          </ul>
        </nav>
        <main id="main" tabindex="-1">
          ${notice ? html`<p class="notice" role="status">${notice}</p>` : ''} ${body}
        </main>
      </body>
    </html>`
}

function shops(store: DevStore, shop: Shop): Html {
  const all = store.shops()
  if (all.length === 1) return html`<strong>${shop.name}</strong>`
  return html`<details>
    <summary>${shop.name}</summary>
    <ul>
      ${all.map((each) => html`<li><a href="${baseOf(each)}">${each.name}</a></li>`)}
    </ul>
  </details>`
}
