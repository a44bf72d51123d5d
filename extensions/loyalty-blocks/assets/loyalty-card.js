/**
 * The member's card, made lively: refreshes what Liquid rendered, redeems, returns codes, shows history.
 * It writes text only: its words come from the block and the app.
 *
 * @typedef {{ id: string, code: string, label: string, reward: string, until: string | null, canReturn?: false, named?: true }} HeldCode
 * @typedef {{ balance: number, pending: number, nextExpiry: { points: number, at: string } | null, codes: HeldCode[] }} Card
 * @typedef {{ ok: boolean, reason?: string, state?: string, outcome?: string, back?: number, code?: HeldCode, card?: Card | null,
 *   birthday?: { month: number, day: number }, entries?: { at: string, label: string, points: number }[], next?: string | null }} Reply
 */
class LoyaltyCard extends HTMLElement {
  /** @type {AbortController} */
  #abort
  /** Once-only keys of what is asked for, the same after a lost answer. @type {Map<string, string>} */
  #keys = new Map()

  connectedCallback() {
    this.#abort = new AbortController()
    const { signal } = this.#abort
    this.addEventListener('submit', (event) => this.#onSubmit(event), { signal })
    this.addEventListener('click', (event) => this.#onClick(event), { signal })
    // "toggle" does not bubble.
    this.addEventListener('toggle', (event) => this.#onToggle(event), { signal, capture: true })
    if (this.dataset.customer !== undefined) this.#refresh()
  }

  disconnectedCallback() {
    this.#abort.abort()
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    event.preventDefault()
    const form = event.target
    const { redeem } = form.dataset
    const numbers = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, Number(text)]))
    if (redeem === undefined) this.#act(form, 'birthday', numbers, 'birthday')
    else this.#act(form.parentElement, 'redeem', { reward: redeem, ...numbers })
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const button = event.target.closest('button')
    if (!button) return
    const row = button.closest('[data-redemption]')
    const { copy, cancel, optIn, historyMore, next } = button.dataset
    if (copy !== undefined) this.#copy(row)
    else if (cancel !== undefined) this.#act(row, 'cancel', { id: row.dataset.redemption })
    else if (optIn !== undefined) this.#act(this, 'opt-in', {}, 'joined')
    else if (historyMore !== undefined) this.#readHistory(next)
  }

  /** @param {Event} event */
  #onToggle(event) {
    const { dataset, open } = event.target
    if (dataset.history === undefined || !open) return
    this.#find('[data-history-list]').replaceChildren()
    this.#readHistory()
  }

  /**
   * Asks for something, once: the result is said, and the card shows what is true then.
   * @param {HTMLElement} place @param {string} verb @param {Record<string, unknown>} body @param {string} [success]
   */
  async #act(place, verb, body, success) {
    // Buttons stay enabled: the keyboard would lose its place.
    if (place.ariaBusy) return
    const what = verb + JSON.stringify(body)
    const key = this.#keys.get(what) ?? crypto.randomUUID()
    this.#keys.set(what, key)
    place.ariaBusy = 'true'
    this.#say(place, 'working')
    try {
      const reply = await this.#ask(verb, { ...body, key }).finally(() => (place.ariaBusy = null))
      if (!reply) return
      this.#keys.delete(what)
      if (reply.card) this.#show(reply.card)
      const row = reply.code && this.#rowOf(reply.code.id)
      const said = (reply.ok ? (success ?? reply.outcome ?? reply.state) : reply.reason) ?? 'failed'
      this.#say(row ?? place, said, reply.back)
      row?.querySelector('button').focus()
      // A row that has gone took the focus with it.
      if (!place.isConnected) this.#find('[data-status]').focus()
    } catch {
      // The key is kept: asking again is safe.
      this.#say(place, 'failed')
    }
  }

  async #refresh() {
    try {
      const reply = await this.#ask('card')
      if (reply?.card) this.#show(reply.card)
      for (const [name, value] of Object.entries(reply?.birthday ?? {})) {
        this.#find(`[data-birthday] [name=${name}]`)?.setAttribute('value', value)
      }
    } catch {
      // What Liquid rendered stays.
    }
  }

  /** @param {string} [before] */
  async #readHistory(before) {
    const [note, empty, error, more, list] = ['note', 'empty', 'error', 'more', 'list'].map((part) =>
      this.#find(`[data-history-${part}]`),
    )
    if (!note.hidden) return
    note.hidden = false
    empty.hidden = error.hidden = true
    try {
      const reply = await this.#ask('history', undefined, before && `&before=${before}`)
      if (!reply) return
      error.hidden = reply.ok
      for (const entry of reply.entries ?? []) {
        const item = this.#make('history-row')
        this.#write(item, 'when', this.#day(entry.at))
        this.#write(item, 'what', entry.label)
        this.#write(item, 'points', (entry.points > 0 ? '+' : '') + this.#number(entry.points))
        list.append(item)
      }
      empty.hidden = !reply.ok || list.childElementCount > 0
      more.hidden = !reply.next
      more.dataset.next = reply.next ?? ''
    } catch {
      error.hidden = false
    } finally {
      note.hidden = true
    }
  }

  /** @param {Card} card */
  #show(card) {
    this.#write(this, 'balance', this.#number(card.balance))
    this.#write(this, 'unit', card.balance === 1 ? this.dataset.one : this.dataset.other)
    const next = card.nextExpiry
    this.#tell('pending', card.pending > 0, card.pending)
    this.#tell('zero', !card.balance && !card.pending)
    this.#tell('expiry', !!next, next?.points, next && Date.parse(next.at) - 1)
    for (const form of this.querySelectorAll('form[data-redeem]')) {
      form.querySelector('button').disabled = card.balance < Number(form.dataset.cost)
    }
    this.#showCodes(card.codes)
  }

  /** @param {HeldCode[]} codes */
  #showCodes(codes) {
    const list = this.#find('[data-codes-list]')
    for (const item of [...list.children]) {
      if (!codes.some(({ id }) => id === item.dataset.redemption)) item.remove()
    }
    for (const code of codes) {
      const old = this.#rowOf(code.id)
      const item = old ?? this.#make('code-row')
      if (code.canReturn === false) item.querySelector('details')?.remove()
      if (old) continue
      item.dataset.redemption = code.id
      const named = code.named && this.#find(`[data-reward="${CSS.escape(code.reward)}"]`)
      this.#write(item, 'label', named?.textContent ?? code.label)
      this.#write(item, 'code', code.code)
      const until = item.querySelector('[data-until]').textContent
      this.#write(item, 'until', code.until ? until.replace('@', this.#day(code.until)) : '')
      list.append(item)
    }
    this.#find('[data-codes]').hidden = codes.length === 0
  }

  /** @param {Element} row */
  async #copy(row) {
    const code = row.querySelector('[data-code]')
    try {
      await navigator.clipboard.writeText(code.textContent)
      this.#say(row, 'copied')
    } catch {
      // No permission: the code is selected for the shopper's own copy.
      getSelection()?.selectAllChildren(code)
    }
  }

  /**
   * Null when the element has gone meanwhile.
   * @param {string} verb @param {Record<string, unknown>} [body] @param {string} [more] @returns {Promise<Reply | null>}
   */
  async #ask(verb, body, more = '') {
    const { signal } = this.#abort
    try {
      const { endpoint, locale } = this.dataset
      const response = await fetch(`${endpoint}/${verb}?locale=${locale}${more}`, {
        signal,
        ...(body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      })
      return await response.json()
    } catch (error) {
      if (signal.aborted) return null
      throw error
    }
  }

  /**
   * Shown where it was asked for, or at the top; read out from a place that is always there.
   * @param {Element} place @param {string} reason @param {number} [count] is put at %
   */
  #say(place, reason, count = 0) {
    // "failed" is the last of them.
    const wanted = `[data-reason="${CSS.escape(reason)}"], [data-reason="failed"]`
    const text = this.#template('messages').querySelector(wanted).textContent.replace('%', this.#number(count))
    for (const old of this.querySelectorAll('[data-status]')) old.textContent = ''
    this.#write(place.isConnected ? place : this, 'status', text)
    this.#write(this, 'spoken', text)
  }

  /**
   * Shows or hides a sentence, number at %, day at @.
   * @param {string} part @param {boolean} shown @param {number} [count] @param {string|number} [at]
   */
  #tell(part, shown, count = 0, at = '') {
    const place = this.#find(`[data-${part}]`)
    if (!place) return
    place.hidden = !shown
    const { text } = place.dataset
    if (text) place.textContent = text.replace('%', this.#number(count)).replace('@', at && this.#day(at))
  }

  /** @param {number} count */
  #number(count) {
    return String(count).replace(/\B(?=(\d{3})+$)/g, this.dataset.thousands ?? '')
  }

  /** @param {string|number} instant */
  #day(instant) {
    return new Date(instant).toLocaleDateString(document.documentElement.lang || undefined, { dateStyle: 'long' })
  }

  /** @param {string} name */
  #template(name) {
    return this.#find(`[data-${name}]`).content
  }

  /** @param {string} name */
  #make(name) {
    return this.#template(name).firstElementChild.cloneNode(true)
  }

  /** @param {string} id */
  #rowOf(id) {
    return this.#find(`[data-redemption="${CSS.escape(id)}"]`)
  }

  /** @param {string} selector @returns {HTMLElement | null} */
  #find(selector) {
    return this.querySelector(selector)
  }

  /** @param {Element} place @param {string} part @param {string} text */
  #write(place, part, text) {
    const element = place.querySelector(`[data-${part}]`)
    if (element) element.textContent = text
  }
}

if (!customElements.get('loyalty-card')) customElements.define('loyalty-card', LoyaltyCard)
