/** Products, discounts and the app's permissions, to look at. */
import type { Discount, Product, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { goTo, html, htmlResponse, type Html } from './html.ts'
import { baseOf, layout } from './layout.ts'
import { showMoney, showTime } from './orders-pages.ts'

/** The catalogue. */
export function productsPage(store: DevStore, shop: Shop): Response {
  const rows = store.products(shop.domain)
  const row = (product: Product) =>
    html`<tr>
      <th scope="row"><a href="/products/${product.handle}" target="_blank">${product.title}</a></th>
      <td>${product.productType || '—'}</td>
      <td>
        ${
          store
            .collectionsOf(shop.domain, product.id)
            .map((each) => each.title)
            .join(', ') || '—'
        }
      </td>
      <td class="number">
        ${showMoney(Math.min(...product.variants.map((variant) => variant.priceMinor)), shop.currency)}
      </td>
    </tr>`
  const body = html`<h1>Products</h1>
    ${
      rows.length === 0
        ? html`<p class="empty">No products yet.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Products">
            <table>
              <thead>
                <tr>
                  <th scope="col">Product</th>
                  <th scope="col">Type</th>
                  <th scope="col">Collections</th>
                  <th scope="col" class="number">Price</th>
                </tr>
              </thead>
              <tbody>
                ${rows.slice(0, 500).map(row)}
              </tbody>
            </table>
          </div>`
    }`
  return htmlResponse(layout({ store, shop, section: 'products', title: 'Products', body }))
}

/** The shop's discounts and how many codes each has. */
export function discountsPage(store: DevStore, shop: Shop): Response {
  const rows = store.discounts(shop.domain).reverse()
  const row = (discount: Discount) => {
    const codes = store.codesOf(discount.id)
    const used = codes.filter((code) => code.usageCount > 0).length
    return html`<tr>
      <th scope="row">${discount.title}</th>
      <td>${discount.kind.replace('_', ': ').replaceAll('_', ' ')}</td>
      <td><span class="badge">${store.discountStatus(discount).toLowerCase()}</span></td>
      <td>
        ${showTime(discount.startsAt, shop)}${discount.endsAt === null ? '' : ` – ${showTime(discount.endsAt, shop)}`}
      </td>
      <td class="number">${codes.length}</td>
      <td class="number">${used}</td>
    </tr>`
  }
  const body = html`<h1>Discounts</h1>
    ${
      rows.length === 0
        ? html`<p class="empty">No discounts yet. The app makes them when a reward or campaign needs one.</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Discounts">
            <table>
              <thead>
                <tr>
                  <th scope="col">Title</th>
                  <th scope="col">Kind</th>
                  <th scope="col">Status</th>
                  <th scope="col">When</th>
                  <th scope="col" class="number">Codes</th>
                  <th scope="col" class="number">Used</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(row)}
              </tbody>
            </table>
          </div>`
    }`
  return htmlResponse(layout({ store, shop, section: 'discounts', title: 'Discounts', body }))
}

/** What the app may do, and leaving it. */
export function settingsPage(store: DevStore, shop: Shop, url: URL): Response {
  const { name, handle } = store.app
  const action = `${baseOf(shop)}/settings`
  const body = html`<h1>Apps and permissions</h1>
    <section class="card" aria-labelledby="app">
      <h2 id="app">${name}</h2>
      ${
        shop.installation
          ? html`<p>Installed ${showTime(shop.installation.installedAt, shop)}.</p>
              <ul class="bullets">
                ${shop.installation.scopes.map((scope) => html`<li><code>${scope}</code></li>`)}
              </ul>
              <form method="post" action="${action}/uninstall"><button class="critical">Uninstall</button></form>`
          : html`<p>Not installed.</p>
              <p><a href="${baseOf(shop)}/apps/${handle}">Install ${name}</a></p>
              <form method="post" action="${action}/redact">
                <p>48 hours after an app leaves, Shopify tells it to erase the shop.</p>
                <button>Send shop/redact now</button>
              </form>`
      }
    </section>
    ${facts(shop)}`
  return htmlResponse(
    layout({
      store,
      shop,
      section: 'settings',
      title: 'Apps and permissions',
      body,
      notice: url.searchParams.get('notice'),
    }),
  )
}

function facts(shop: Shop): Html {
  return html`<section class="card" aria-labelledby="shop">
    <h2 id="shop">This shop</h2>
    <dl class="figures">
      <div>
        <dt>Address</dt>
        <dd>${shop.domain}</dd>
      </div>
      <div>
        <dt>Currency</dt>
        <dd>${shop.currency}</dd>
      </div>
      <div>
        <dt>Time zone</dt>
        <dd>${shop.timezone}</dd>
      </div>
      <div>
        <dt>Prices</dt>
        <dd>${shop.taxesIncluded ? 'with' : 'without'} tax, ${shop.taxRateBasisPoints / 100} %</dd>
      </div>
      <div>
        <dt>Plan</dt>
        <dd>${shop.plan}</dd>
      </div>
    </dl>
  </section>`
}

/** Uninstalls, or sends shop/redact. */
export function settingsAction(store: DevStore, shop: Shop, verb: string): Response {
  const back = (notice: string) => goTo(`${baseOf(shop)}/settings?notice=${encodeURIComponent(notice)}`)
  if (verb === 'uninstall') {
    store.uninstall(shop.domain)
    return back(`${store.app.name} is uninstalled.`)
  }
  if (verb === 'redact')
    return back(store.redactShop(shop.domain).ok ? 'shop/redact is sent.' : 'The app is still installed.')
  return new Response('Nothing here.', { status: 404 })
}
