/** A merchant's orders: the list, one order, and what can be done to it. */
import { parseDecimal, decimalText } from '../money.ts'
import { lineNet, sum, totalsOf } from '../order-totals.ts'
import type { Gid, Order, Shop } from '../records.ts'
import type { DevStore } from '../state.ts'
import { customerName } from './app-page.ts'
import { goTo, html, htmlResponse, type Html } from './html.ts'
import { baseOf, layout } from './layout.ts'

const PAGE_ROWS = 50

/** `£12.50` in the shop's own currency. */
export function showMoney(minor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  return format.format(Number(decimalText(minor, currency)))
}

/** A date and time in the shop's zone. */
export function showTime(at: number, shop: Shop): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: shop.timezone }).format(
    at,
  )
}

/** The number in a gid, for addresses. */
export function numberOf(id: Gid): string {
  return id.split('/').at(-1)!
}

const STATUS_WORDS: Record<Order['financialStatus'], string> = {
  paid: 'Paid',
  pending: 'Payment pending',
  authorized: 'Authorized',
  partially_paid: 'Partially paid',
  partially_refunded: 'Partially refunded',
  refunded: 'Refunded',
  voided: 'Voided',
}

function badges(order: Order): Html {
  return html`<span class="badge ${order.financialStatus}">${STATUS_WORDS[order.financialStatus]}</span>
    ${order.cancelledAt !== null ? html`<span class="badge cancelled">Cancelled</span>` : ''}
    ${order.test ? html`<span class="badge">Test</span>` : ''}`
}

/** Newest orders first, fifty a page. */
export function ordersPage(store: DevStore, shop: Shop, url: URL): Response {
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1) || 1)
  const words = (url.searchParams.get('q') ?? '').trim().toLowerCase()
  const all = store.orders(shop.domain)
  const matching =
    words === '' ? all : all.filter((row) => `${row.name} ${row.email ?? ''}`.toLowerCase().includes(words))
  const found = [...matching].sort((a, b) => b.processedAt - a.processedAt)
  const rows = found.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS)
  const base = baseOf(shop)
  const row = (order: Order) =>
    html`<tr>
      <th scope="row"><a href="${base}/orders/${numberOf(order.id)}">${order.name}</a></th>
      <td>${showTime(order.processedAt, shop)}</td>
      <td>${customerName(store, shop, order.customerId)}</td>
      <td>${badges(order)}</td>
      <td class="number">${showMoney(totalsOf(order).currentTotalMinor, order.currency)}</td>
    </tr>`
  const body = html`
    <h1>Orders</h1>
    ${searchForm(words, 'Search by number or e-mail')}
    ${
      rows.length === 0
        ? html`<p class="empty">
            ${words ? 'No order matches.' : 'No orders yet. Buy something on the storefront and it appears here.'}
          </p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="Orders">
            <table>
              <thead>
                <tr>
                  <th scope="col">Order</th>
                  <th scope="col">Date</th>
                  <th scope="col">Customer</th>
                  <th scope="col">Payment</th>
                  <th scope="col" class="number">Total</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map(row)}
              </tbody>
            </table>
          </div>`
    }
    ${pager(found.length, page, words)}
  `
  return htmlResponse(
    layout({ store, shop, section: 'orders', title: 'Orders', body, notice: url.searchParams.get('notice') }),
  )
}

/** A search field for a list. */
export function searchForm(words: string, label: string): Html {
  return html`<form class="search" role="search">
    <label for="q" class="quiet">${label}</label>
    <input id="q" name="q" type="search" value="${words}" placeholder="${label}" /><button>Search</button>
  </form>`
}

/** Links to the pages before and after. */
export function pager(total: number, page: number, words: string): Html {
  const pages = Math.ceil(total / PAGE_ROWS)
  if (pages < 2) return html``
  const to = (number: number) => `?page=${number}${words ? `&q=${encodeURIComponent(words)}` : ''}`
  return html`<nav class="pager" aria-label="Pages">
    ${page > 1 ? html`<a href="${to(page - 1)}">Newer</a>` : ''} <span>Page ${page} of ${pages}</span>
    ${page < pages ? html`<a href="${to(page + 1)}">Older</a>` : ''}
  </nav>`
}

/** One order with its lines, money, history, and forms for refund, edit, payment and cancelling. */
export function orderPage(store: DevStore, shop: Shop, order: Order, url: URL): Response {
  const base = baseOf(shop)
  const body = html`
    <p><a href="${base}/orders">← Orders</a></p>
    <h1>${order.name} ${badges(order)}</h1>
    <p>
      ${showTime(order.processedAt, shop)} · ${order.sourceName} ·
      ${order.customerId ? html`<a href="${base}/customers/${numberOf(order.customerId)}">${customerName(store, shop, order.customerId)}</a>` : 'No customer'}
    </p>
    ${linesCard(order)} ${totalsCard(order)} ${actions(store, shop, order)} ${historyCard(shop, order)}
  `
  return htmlResponse(
    layout({ store, shop, section: 'orders', title: order.name, body, notice: url.searchParams.get('notice') }),
  )
}

function linesCard(order: Order): Html {
  return html`<section class="card" aria-labelledby="lines">
    <h2 id="lines">Items</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of items">
      <table>
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col" class="number">Each</th>
            <th scope="col" class="number">Ordered</th>
            <th scope="col" class="number">Now</th>
            <th scope="col" class="number">After discounts</th>
          </tr>
        </thead>
        <tbody>
          ${order.lines.map(
            (line) =>
              html`<tr>
                <th scope="row">
                  ${line.title}${line.variantTitle && line.variantTitle !== 'Default Title' ? ` · ${line.variantTitle}` : ''}${line.giftCard ? ' (gift card)' : ''}
                </th>
                <td class="number">${showMoney(line.unitPriceMinor, order.currency)}</td>
                <td class="number">${line.quantity}</td>
                <td class="number">${line.currentQuantity}</td>
                <td class="number">${showMoney(lineNet(line, line.currentQuantity), order.currency)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

function totalsCard(order: Order): Html {
  const totals = totalsOf(order)
  const rows: [string, number][] = [
    ['Subtotal', totals.currentSubtotalMinor],
    ['Shipping', totals.currentShippingMinor],
    [order.taxesIncluded ? 'Tax (included)' : 'Tax', totals.currentTaxMinor],
    ...(order.tipMinor ? ([['Tip', order.tipMinor]] as [string, number][]) : []),
    ['Total', totals.currentTotalMinor],
    ['Paid', totals.receivedMinor],
    ['Refunded', totals.refundedMinor],
    ['Outstanding', totals.outstandingMinor],
  ]
  return html`<section class="card" aria-labelledby="money">
    <h2 id="money">Payment</h2>
    ${
      order.discountApplications.length > 0
        ? html`<p>
            Discounts: ${order.discountApplications.map((row) => row.code ?? row.title).join(', ')}
            (−${showMoney(totals.discountsMinor, order.currency)})
          </p>`
        : ''
    }
    <dl class="figures">
      ${rows.map(
        ([name, minor]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${showMoney(minor, order.currency)}</dd>
          </div>`,
      )}
    </dl>
  </section>`
}

function actions(store: DevStore, shop: Shop, order: Order): Html {
  const action = `${baseOf(shop)}/orders/${numberOf(order.id)}`
  const totals = totalsOf(order)
  const left = totals.receivedMinor - totals.refundedMinor
  return html`<section class="card" aria-labelledby="actions">
    <h2 id="actions">Change this order</h2>
    ${totals.outstandingMinor > 0 && order.cancelledAt === null ? html`<form method="post" action="${action}/paid"><button class="primary">Mark as paid (${showMoney(totals.outstandingMinor, order.currency)})</button></form>` : ''}
    ${left > 0 ? refundForm(action, order, left) : ''}
    ${order.cancelledAt === null ? editForm(store, shop, action, order) : ''}
    ${order.cancelledAt === null ? cancelForm(action) : ''}
    <details>
      <summary>Delete</summary>
      <form method="post" action="${action}/delete">
        <p>The order is gone for good; the app hears orders/delete.</p>
        <button class="critical">Delete order</button>
      </form>
    </details>
  </section>`
}

function refundForm(action: string, order: Order, left: number): Html {
  const open = order.lines.filter((line) => line.currentQuantity > 0)
  const shipping = totalsOf(order).currentShippingMinor
  return html`<details>
    <summary>Refund</summary>
    <form method="post" action="${action}/refund">
      ${open.map(
        (line) =>
          html`<p>
            <label for="q-${numberOf(line.id)}">${line.title}, of ${line.currentQuantity}</label>
            <input
              id="q-${numberOf(line.id)}"
              name="line ${line.id}"
              type="number"
              min="0"
              max="${line.currentQuantity}"
              value="0"
            />
          </p>`,
      )}
      ${shipping > 0 ? html`<p><label for="shipping">Shipping, up to ${showMoney(shipping, order.currency)}</label><input id="shipping" name="shipping" inputmode="decimal" placeholder="0.00" /></p>` : ''}
      <p>
        <label for="amount">Amount (empty: what the items come to; up to ${showMoney(left, order.currency)})</label>
        <input id="amount" name="amount" inputmode="decimal" />
      </p>
      <p>
        <label><input type="checkbox" name="restock" checked /> Take the items back into stock</label>
      </p>
      ${
        order.customerId
          ? html`<p>
              <label><input type="checkbox" name="credit" /> Refund to store credit</label>
            </p>`
          : ''
      }
      <p><label for="note">Reason</label><input id="note" name="note" /></p>
      <button class="primary">Refund</button>
    </form>
  </details>`
}

function editForm(store: DevStore, shop: Shop, action: string, order: Order): Html {
  const variants = store
    .products(shop.domain)
    .flatMap((product) => product.variants.map((variant) => ({ product, variant })))
  return html`<details>
    <summary>Edit items</summary>
    <form method="post" action="${action}/edit">
      ${order.lines.map(
        (line) =>
          html`<p>
            <label for="e-${numberOf(line.id)}">${line.title}</label>
            <input
              id="e-${numberOf(line.id)}"
              name="line ${line.id}"
              type="number"
              min="0"
              value="${line.currentQuantity}"
            />
          </p>`,
      )}
      <p>
        <label for="add">Add a product</label>
        <select id="add" name="add">
          <option value="">None</option>
          ${variants.slice(0, 300).map(({ product, variant }) => html`<option value="${variant.id}">${product.title}${variant.title === 'Default Title' ? '' : ` · ${variant.title}`}</option>`)}
        </select>
      </p>
      <p>
        <label for="add-quantity">How many</label
        ><input id="add-quantity" name="quantity" type="number" min="1" value="1" />
      </p>
      <button class="primary">Save the edit</button>
    </form>
  </details>`
}

function cancelForm(action: string): Html {
  return html`<details>
    <summary>Cancel</summary>
    <form method="post" action="${action}/cancel">
      <p>
        <label for="reason">Reason</label>
        <select id="reason" name="reason">
          <option value="customer">Customer changed or cancelled</option>
          <option value="inventory">Out of stock</option>
          <option value="fraud">Fraud</option>
          <option value="declined">Payment declined</option>
          <option value="staff">Staff error</option>
          <option value="other">Other</option>
        </select>
      </p>
      <p>
        <label><input type="checkbox" name="refund" checked /> Give the money back</label>
      </p>
      <button class="critical">Cancel order</button>
    </form>
  </details>`
}

function historyCard(shop: Shop, order: Order): Html {
  const events = [
    { at: order.createdAt, text: 'Placed' },
    ...order.transactions.map((row) => ({
      at: row.createdAt,
      text: `${row.kind} ${showMoney(row.amountMinor, order.currency)} by ${row.gateway}: ${row.status}`,
    })),
    ...order.refunds.map((row) => ({
      at: row.createdAt,
      text: `Refund of ${sum(row.lines, (line) => line.quantity)} items${row.note ? `: ${row.note}` : ''}`,
    })),
    ...(order.cancelledAt === null ? [] : [{ at: order.cancelledAt, text: `Cancelled: ${order.cancelReason}` }]),
  ].sort((a, b) => a.at - b.at)
  return html`<section class="card" aria-labelledby="history">
    <h2 id="history">History</h2>
    <ol class="history">
      ${events.map((event) => html`<li><time>${showTime(event.at, shop)}</time> ${event.text}</li>`)}
    </ol>
  </section>`
}

/** Does what a form of the order page asks, and comes back to it with what happened. */
export function orderAction(store: DevStore, shop: Shop, order: Order, verb: string, form: URLSearchParams): Response {
  const back = (notice: string, path = `/orders/${numberOf(order.id)}`) =>
    goTo(`${baseOf(shop)}${path}?notice=${encodeURIComponent(notice)}`)
  if (verb === 'paid') {
    store.markPaid(shop.domain, order.id)
    return back('Marked as paid.')
  }
  if (verb === 'refund') return back(refundFrom(store, shop, order, form))
  if (verb === 'edit') return back(editFrom(store, shop, order, form))
  if (verb === 'cancel') {
    const reason = (form.get('reason') ?? 'customer') as NonNullable<Order['cancelReason']>
    const done = store.cancelOrder(shop.domain, order.id, { reason, refund: form.has('refund') })
    return back(done.ok ? 'The order is cancelled.' : 'It was cancelled already.')
  }
  if (verb === 'delete') {
    store.deleteOrder(shop.domain, order.id)
    return back(`${order.name} is deleted.`, '/orders')
  }
  return new Response('Nothing here.', { status: 404 })
}

function refundFrom(store: DevStore, shop: Shop, order: Order, form: URLSearchParams): string {
  const lines = quantities(form)
    .filter((row) => row.quantity > 0)
    .map((row) => ({ ...row, restockType: form.has('restock') ? ('return' as const) : ('no_restock' as const) }))
  const amount = (name: string) => {
    const text = form.get(name)?.trim() ?? ''
    return text === '' ? undefined : (parseDecimal(text, order.currency) ?? Number.NaN)
  }
  const amountMinor = amount('amount')
  const shippingMinor = amount('shipping')
  if (Number.isNaN(amountMinor) || Number.isNaN(shippingMinor) || (amountMinor ?? 0) < 0 || (shippingMinor ?? 0) < 0) {
    return `Nothing was refunded: write amounts like ${decimalText(1250, order.currency)}.`
  }
  const note = form.get('note') || undefined
  const done = store.refund(shop.domain, order.id, {
    lines,
    shippingMinor,
    amountMinor,
    note,
    toStoreCredit: form.has('credit'),
  })
  if (!done.ok) return `Nothing was refunded: ${done.reason.replaceAll('_', ' ')} (${done.detail}).`
  const given = sum(
    done.order.transactions.filter((row) => done.refund.transactionIds.includes(row.id)),
    (row) => row.amountMinor,
  )
  return `${showMoney(given, order.currency)} refunded.`
}

function editFrom(store: DevStore, shop: Shop, order: Order, form: URLSearchParams): string {
  const changes: Parameters<DevStore['editOrder']>[2] = quantities(form).filter((row) => {
    const line = order.lines.find((each) => each.id === row.lineId)
    return line !== undefined && line.currentQuantity !== row.quantity
  })
  const added = form.get('add')
  if (added) changes.push({ variantId: added, quantity: Math.max(1, Number(form.get('quantity')) || 1) })
  if (changes.length === 0) return 'Nothing was changed.'
  store.editOrder(shop.domain, order.id, changes)
  return 'The order is changed.'
}

function quantities(form: URLSearchParams): { lineId: Gid; quantity: number }[] {
  return [...form].flatMap(([name, value]) => {
    const quantity = Number(value)
    return name.startsWith('line ') && Number.isInteger(quantity) && quantity >= 0
      ? [{ lineId: name.slice(5), quantity }]
      : []
  })
}
