/** A merchant's customers: the list, one customer, merging, and what privacy law asks for. */
import { nameOf } from '../api/customer-fields.ts'
import type { MergeRefusal } from '../customers.ts'
import { totalsOf } from '../order-totals.ts'
import type { Customer, Metafield, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { goTo, html, htmlResponse, type Html } from './html.ts'
import { baseOf, layout } from './layout.ts'
import { numberOf, pager, searchForm, showMoney, showTime } from './orders-pages.ts'

const PAGE_ROWS = 50

/** Customers by name, newest first, fifty a page. */
export function customersPage(store: DevStore, shop: Shop, url: URL): Response {
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1) || 1)
  const words = (url.searchParams.get('q') ?? '').trim().toLowerCase()
  const found = store
    .customers(shop.domain)
    .filter((row) => `${nameOf(row)} ${row.email ?? ''}`.toLowerCase().includes(words))
    .reverse()
  const rows = found.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS)
  const row = (customer: Customer) =>
    html`<tr>
      <th scope="row">
        <a href="${baseOf(shop)}/customers/${numberOf(customer.id)}">${nameOf(customer) || 'No name'}</a>
      </th>
      <td>${customer.email ?? '—'}</td>
      <td>${ACCOUNT[customer.state]}</td>
      <td>${customer.tags.join(', ')}</td>
      <td class="number">${store.ordersOf(customer.id).length}</td>
    </tr>`
  const body = html`
    <h1>Customers</h1>
    ${searchForm(words, 'Search by name or e-mail')}
    ${
      rows.length === 0
        ? html`<p class="empty">
            ${words ? 'No customer matches.' : 'No customers yet. Register on the storefront, or add one below.'}
          </p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Customers">
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">E-mail</th>
                  <th scope="col">Account</th>
                  <th scope="col">Tags</th>
                  <th scope="col" class="number">Orders</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(row)}
              </tbody>
            </table>
          </div>`
    }
    ${pager(found.length, page, words)}
    <details class="card">
      <summary>Add a customer</summary>
      <form method="post" action="${baseOf(shop)}/customers/new">
        <p><label for="first">First name</label><input id="first" name="first" autocomplete="off" /></p>
        <p><label for="last">Last name</label><input id="last" name="last" autocomplete="off" /></p>
        <p>
          <label for="email">E-mail</label><input id="email" name="email" type="email" required autocomplete="off" />
        </p>
        <button class="primary">Add</button>
      </form>
    </details>
  `
  return htmlResponse(
    layout({ store, shop, section: 'customers', title: 'Customers', body, notice: url.searchParams.get('notice') }),
  )
}

const ACCOUNT: Record<Customer['state'], string> = {
  enabled: 'Has an account',
  disabled: 'No account',
  invited: 'Invited',
  declined: 'Declined',
}

/** One customer: who they are, what they bought, what the app wrote about them. */
export function customerPage(store: DevStore, shop: Shop, customer: Customer, url: URL): Response {
  const base = baseOf(shop)
  const orders = store.ordersOf(customer.id).reverse()
  const credit = store.storeCreditOf(shop.domain, customer.id)
  const body = html`
    <p><a href="${base}/customers">← Customers</a></p>
    <h1>${nameOf(customer) || 'No name'}</h1>
    <section class="card">
      <dl class="figures">
        <div>
          <dt>E-mail</dt>
          <dd>${customer.email ?? '—'}</dd>
        </div>
        <div>
          <dt>Account</dt>
          <dd>${ACCOUNT[customer.state]}</dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>${showTime(customer.createdAt, shop)}</dd>
        </div>
        <div>
          <dt>Tags</dt>
          <dd>${customer.tags.join(', ') || '—'}</dd>
        </div>
        ${credit.map(
          (account) =>
            html`<div>
              <dt>Store credit</dt>
              <dd>${showMoney(account.balanceMinor, account.currency)}</dd>
            </div>`,
        )}
        <div>
          <dt>Id</dt>
          <dd><code>${customer.id}</code></dd>
        </div>
      </dl>
    </section>
    <section class="card" aria-labelledby="orders">
      <h2 id="orders">Orders</h2>
      ${
        orders.length === 0
          ? html`<p class="empty">No orders yet.</p>`
          : html`<ul class="plain">
              ${orders.slice(0, 30).map(
                (order) =>
                  html`<li>
                    <a href="${base}/orders/${numberOf(order.id)}">${order.name}</a>
                    ${showTime(order.processedAt, shop)} ·
                    ${showMoney(totalsOf(order).currentTotalMinor, order.currency)}
                  </li>`,
              )}
            </ul>`
      }
    </section>
    ${metafieldsCard(store.tables.metafieldsOf(customer.id))} ${changes(store, shop, customer)}
  `
  return htmlResponse(
    layout({
      store,
      shop,
      section: 'customers',
      title: nameOf(customer) || 'Customer',
      body,
      notice: url.searchParams.get('notice'),
    }),
  )
}

function metafieldsCard(rows: Metafield[]): Html {
  if (rows.length === 0) return html``
  return html`<section class="card" aria-labelledby="metafields">
    <h2 id="metafields">Metafields</h2>
    ${rows.map(
      (row) =>
        html`<h3><code>${row.namespace}.${row.key}</code></h3>
          <pre tabindex="0">${pretty(row)}</pre>`,
    )}
  </section>`
}

function pretty(row: Metafield): string {
  return row.type === 'json' ? JSON.stringify(JSON.parse(row.value), null, 2) : row.value
}

function changes(store: DevStore, shop: Shop, customer: Customer): Html {
  const action = `${baseOf(shop)}/customers/${numberOf(customer.id)}`
  const others = store.customers(shop.domain).filter((row) => row.id !== customer.id)
  return html`<section class="card" aria-labelledby="change">
    <h2 id="change">Change this customer</h2>
    <details>
      <summary>Account and tags</summary>
      <form method="post" action="${action}/update">
        <p>
          <label for="tags">Tags, with commas</label><input id="tags" name="tags" value="${customer.tags.join(', ')}" />
        </p>
        <p>
          <label
            ><input type="checkbox" name="account" ${customer.state === 'enabled' ? html`checked` : ''} /> Has an
            account</label
          >
        </p>
        <button class="primary">Save</button>
      </form>
    </details>
    <details>
      <summary>Merge</summary>
      <form method="post" action="${action}/merge">
        <p>
          <label for="other">Who becomes one with ${nameOf(customer) || 'this customer'}, and is deleted</label>
          <select id="other" name="other" required>
            <option value="">Choose a customer</option>
            ${others.slice(0, 1000).map((row) => html`<option value="${row.id}">${nameOf(row) || 'No name'}${row.email ? ` (${row.email})` : ''}</option>`)}
          </select>
        </p>
        <button class="primary">Merge</button>
      </form>
    </details>
    <details>
      <summary>Privacy</summary>
      <form method="post" action="${action}/request-data">
        <p>The shopper wants to know what is kept.</p>
        <button>Request data</button>
      </form>
      <form method="post" action="${action}/redact">
        <p>The shopper wants to be forgotten.</p>
        <button class="critical">Erase personal data</button>
      </form>
    </details>
    <details>
      <summary>Delete</summary>
      <form method="post" action="${action}/delete">
        <p>Only without orders, as on Shopify.</p>
        <button class="critical">Delete customer</button>
      </form>
    </details>
  </section>`
}

const MERGE_REFUSALS: Record<MergeRefusal, (who: string) => string> = {
  same_customer: () => 'A customer cannot be merged with itself.',
  has_gift_cards: (who) => `Not merged: ${who} has gift cards, and Shopify merges nobody who has.`,
  has_store_credit: (who) => `Not merged: ${who} has store credit, and Shopify merges nobody who has any left.`,
}

/** Does what a form of the customer page asks. */
export function customerAction(
  store: DevStore,
  shop: Shop,
  customer: Customer,
  verb: string,
  form: URLSearchParams,
): Response {
  const back = (notice: string, path = `/customers/${numberOf(customer.id)}`) =>
    goTo(`${baseOf(shop)}${path}?notice=${encodeURIComponent(notice)}`)
  if (verb === 'update') {
    const tags = (form.get('tags') ?? '')
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean)
    store.updateCustomer(shop.domain, customer.id, { tags, state: form.has('account') ? 'enabled' : 'disabled' })
    return back('Saved.')
  }
  if (verb === 'merge') {
    const other = store.customer(shop.domain, form.get('other') ?? '')
    if (!other) return back('Choose a customer to merge.')
    const done = store.mergeCustomers(shop.domain, customer.id, other.id)
    if (done.ok) return back('The customers are merged.')
    return back(MERGE_REFUSALS[done.reason](nameOf(done.whose === other.id ? other : customer) || 'one of them'))
  }
  if (verb === 'request-data') {
    store.requestData(shop.domain, customer.id)
    return back('The app was asked for the data.')
  }
  if (verb === 'redact') {
    store.redact(shop.domain, customer.id)
    return back('Personal data are erased.')
  }
  if (verb === 'delete') {
    const done = store.deleteCustomer(shop.domain, customer.id)
    return done.ok ? back('The customer is deleted.', '/customers') : back('A customer with orders cannot be deleted.')
  }
  return new Response('Nothing here.', { status: 404 })
}

/** Adds a customer with an account. */
export function addCustomer(store: DevStore, shop: Shop, form: URLSearchParams): Response {
  const email = form.get('email')?.trim() ?? ''
  if (email === '' || store.customerByEmail(shop.domain, email)) {
    return goTo(
      `${baseOf(shop)}/customers?notice=${encodeURIComponent(email === '' ? 'An e-mail address is needed.' : `${email} is taken.`)}`,
    )
  }
  const customer = store.createCustomer(shop.domain, {
    email,
    firstName: form.get('first') || null,
    lastName: form.get('last') || null,
  })
  return goTo(`${baseOf(shop)}/customers/${numberOf(customer.id)}?notice=${encodeURIComponent('Added.')}`)
}
