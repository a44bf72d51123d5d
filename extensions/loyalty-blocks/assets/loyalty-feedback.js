/**
 * "How likely are you to recommend us?": sends the customer's answer to the app, says what became of it, and shows what they said
 * before. It writes text only (never HTML), and all its words come from the block's templates.
 *
 * @typedef {{ score: number, comment: string | null, at: string }} Answer
 * @typedef {{ ok: boolean, reason?: string, answer?: Answer | null, changed?: boolean, points?: number }} Reply
 */
class LoyaltyFeedback extends HTMLElement {
  /** @type {AbortController | null} */
  #abort = null
  /** The customer has begun: what comes from the app no longer overwrites it. */
  #begun = false

  connectedCallback() {
    this.#abort = new AbortController()
    const { signal } = this.#abort
    this.addEventListener('submit', (event) => this.#onSubmit(event), { signal })
    this.addEventListener('input', () => (this.#begun = true), { signal })
    if (this.dataset.customer !== undefined) this.#remember()
  }

  disconnectedCallback() {
    this.#abort?.abort()
    this.#abort = null
  }

  /** What the customer said before, where there is something and they have not begun anew. */
  async #remember() {
    try {
      const reply = await this.#ask()
      if (reply?.ok && reply.answer && !this.#begun) this.#show(reply.answer)
    } catch {
      // The empty form stays: answering works all the same.
    }
  }

  /** @param {SubmitEvent} event */
  async #onSubmit(event) {
    event.preventDefault()
    const form = /** @type {HTMLFormElement} */ (event.target)
    const data = new FormData(form)
    const button = form.querySelector('button')
    // Not disabled: the keyboard would lose its place. A second press meanwhile is the same answer.
    if (button?.getAttribute('aria-disabled') === 'true') return
    button?.setAttribute('aria-disabled', 'true')
    this.#say('working')
    try {
      const body = { score: Number(data.get('score')), comment: String(data.get('comment') ?? '') }
      const reply = await this.#ask(body)
      if (!reply) return
      if (reply.ok) this.#again()
      this.#say(reply.ok ? (reply.points ? (reply.points === 1 ? 'point' : 'points') : reply.changed ? 'changed' : 'thanks') : (reply.reason ?? ''), {
        '%': String(reply.points),
      })
    } catch {
      this.#say('failed')
    } finally {
      button?.removeAttribute('aria-disabled')
    }
  }

  /** @param {Answer} answer */
  #show({ score, comment, at }) {
    const radio = /** @type {HTMLInputElement | null} */ (this.querySelector(`input[value="${Number(score)}"]`))
    const words = this.querySelector('textarea')
    if (radio) radio.checked = true
    if (words) words.value = comment ?? ''
    this.#again()
    const day = new Date(at).toLocaleDateString(document.documentElement.lang || undefined, { dateStyle: 'medium' })
    this.#say('before', { '%': String(score), '@': day })
  }

  /** From now on the button changes what was said. */
  #again() {
    const button = this.querySelector('button')
    if (button?.dataset.again) button.textContent = button.dataset.again
  }

  /**
   * @param {Record<string, unknown>} [body]
   * @returns {Promise<Reply | null>} null when the element has gone meanwhile
   */
  async #ask(body) {
    const signal = this.#abort?.signal
    try {
      const response = await fetch(`${this.dataset.endpoint}/feedback`, {
        signal,
        credentials: 'same-origin',
        headers: { Accept: 'application/json', ...(body ? { 'Content-Type': 'application/json' } : {}) },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      })
      return await response.json()
    } catch (error) {
      if (signal?.aborted) return null
      throw error
    }
  }

  /** @param {string} reason @param {Record<string, string>} [values] */
  #say(reason, values = {}) {
    const messages = /** @type {HTMLTemplateElement | null} */ (this.querySelector('[data-messages]'))?.content
    const place = this.querySelector('[data-status]')
    const found = reason && messages?.querySelector(`[data-reason="${CSS.escape(reason)}"]`)
    const text = (found || messages?.querySelector('[data-reason="failed"]'))?.textContent ?? ''
    if (place) place.textContent = text.replace(/[%@]/g, (sign) => values[sign] ?? sign)
  }
}

if (!customElements.get('loyalty-feedback')) customElements.define('loyalty-feedback', LoyaltyFeedback)
