/**
 * "You will earn 60 beans" on a product page, or what joining would earn. Asks the app's own calculator for the chosen variant, once the element can be seen,
 * and again when another variant is chosen. Shows nothing where the app has no answer.
 */
class LoyaltyEstimate extends HTMLElement {
  /** @type {AbortController | null} */
  #abort = null
  /** @type {AbortController | null} */
  #asking = null
  /** @type {IntersectionObserver | null} */
  #observer = null
  #variant = ''

  connectedCallback() {
    this.#abort = new AbortController()
    const { signal } = this.#abort
    this.#observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      this.#observer?.disconnect()
      this.#estimate(this.dataset.variant ?? '')
    })
    this.#observer.observe(this)
    // Themes announce a variant by changing the hidden or visible "id" field of their product form.
    document.addEventListener('change', () => this.#estimate(this.#chosenVariant()), { signal })
  }

  disconnectedCallback() {
    this.#abort?.abort()
    this.#asking?.abort()
    this.#observer?.disconnect()
  }

  #chosenVariant() {
    const form = this.closest('form') ?? document.querySelector('form[action*="/cart/add"]')
    const field = form?.querySelector('[name="id"]:checked, select[name="id"], input[name="id"]:not([type="radio"])')
    return (field && 'value' in field && String(field.value)) || this.dataset.variant || ''
  }

  /** @param {string} id */
  async #estimate(id) {
    const variant = this.#json('[data-variants]')?.find((/** @type {{ id: number }} */ each) => String(each.id) === id)
    if (!variant || id === this.#variant) return
    this.#variant = id
    this.#asking?.abort()
    this.#asking = new AbortController()
    const { signal } = this.#asking
    try {
      const response = await fetch(`${this.dataset.endpoint}/estimate`, {
        method: 'POST',
        signal,
        credentials: 'same-origin',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
        body: JSON.stringify({
          currency: this.dataset.currency,
          taxesIncluded: this.dataset.taxesIncluded === 'true',
          lines: [
            {
              product: this.dataset.product,
              variant: id,
              quantity: 1,
              price: variant.price,
              compareAt: variant.compareAt,
              giftCard: this.dataset.giftCard === 'true',
              collections: (this.dataset.collections ?? '').split(',').filter(Boolean),
              tags: this.#json('[data-tags]') ?? [],
            },
          ],
        }),
      })
      const { ok, points, upTo, join } = await response.json()
      const { dataset } = this
      const text = join ? dataset.join : upTo ? dataset.upTo : points === 1 ? dataset.one : dataset.other
      const number = String(points).replace(/\B(?=(\d{3})+$)/g, dataset.thousands ?? '')
      this.#show(ok && points > 0 ? (text ?? '').replace('%', number) : '')
    } catch {
      if (!signal.aborted) this.#show('')
    }
  }

  /** @param {string} selector */
  #json(selector) {
    return JSON.parse(this.querySelector(selector)?.textContent || 'null')
  }

  /** @param {string} text */
  #show(text) {
    const place = this.querySelector('[data-text]')
    if (place) place.textContent = text
  }
}

if (!customElements.get('loyalty-estimate')) customElements.define('loyalty-estimate', LoyaltyEstimate)
