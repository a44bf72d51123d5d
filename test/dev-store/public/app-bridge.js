/**
 * The dev store's stand-in for Shopify's App Bridge: what an embedded app finds as `window.shopify`, and the elements
 * ui-nav-menu (s-app-nav), ui-title-bar, ui-save-bar and ui-modal. It talks to the admin page around it (frame.js).
 * Names and shapes follow @shopify/app-bridge-types 0.7. What it does not imitate rejects and says so on the console.
 */
;(() => {
  const script = document.currentScript
  const adminOrigin = new URL(script.src).origin
  const apiKey = script.dataset.apiKey
  const KEPT = 'dev-store-app-bridge'
  const OWN_PARAMETERS = ['id_token', 'hmac', 'session', 'timestamp', 'embedded', 'host', 'shop', 'locale']

  // ── what the first page was opened with, kept over full reloads ─────────────────────────────────────────────────
  const query = new URLSearchParams(location.search)
  let kept = {}
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}')
  } catch {
    kept = {}
  }
  const config = {
    apiKey,
    shop: query.get('shop') ?? kept.shop,
    host: query.get('host') ?? kept.host,
    locale: query.get('locale') ?? kept.locale ?? 'en',
    appOrigins: [location.origin],
    disabledFeatures: [],
    experimentalFeatures: [],
  }
  sessionStorage.setItem(KEPT, JSON.stringify({ shop: config.shop, host: config.host, locale: config.locale }))

  // ── talking to the admin ─────────────────────────────────────────────────────────────────────────────────────────
  const waiting = new Map()
  let lastId = 0
  const tell = (kind, data = {}) => window.parent.postMessage({ appBridge: kind, ...data }, adminOrigin)
  const ask = (kind, data = {}) =>
    new Promise((resolve, reject) => {
      if (window.parent === window) return reject(new Error('The app is not inside the admin.'))
      lastId += 1
      waiting.set(lastId, { resolve, reject })
      tell(kind, { ...data, id: lastId })
    })
  const hear = {}
  addEventListener('message', (event) => {
    if (event.origin !== adminOrigin || event.source !== window.parent || !event.data?.admin) return
    const { admin: kind, id, value, error } = event.data
    if (kind === 'reply') {
      const asked = waiting.get(id)
      waiting.delete(id)
      if (asked) error === undefined ? asked.resolve(value) : asked.reject(new Error(error))
    } else hear[kind]?.(value)
  })

  // ── session tokens, and fetch with them ──────────────────────────────────────────────────────────────────────────
  let token = null
  const idToken = async () => {
    const now = Date.now()
    if (token && token.goodUntil > now) return token.text
    const text = await ask('id-token')
    const { exp } = JSON.parse(atob(text.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')))
    token = { text, goodUntil: exp * 1000 - 15_000 }
    return text
  }
  const plainFetch = window.fetch.bind(window)
  window.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (new URL(request.url).origin !== location.origin || request.headers.has('authorization'))
      return plainFetch(input, init)
    const send = async () => {
      const again = new Request(request.clone())
      again.headers.set('Authorization', `Bearer ${await idToken()}`)
      again.headers.set('Accept-Language', config.locale)
      return plainFetch(again)
    }
    let response = await send()
    if (response.status === 401 && response.headers.has('X-Shopify-Retry-Invalid-Session-Request')) {
      token = null
      response = await send()
    }
    const sendTo = response.headers.get('X-Shopify-API-Request-Failure-Reauthorize-Url')
    if (sendTo) open(sendTo, '_top')
    return response
  }

  // The bounce page (`/auth/session-token?shopify-reload=…`): come back with a fresh token.
  const reload = query.get('shopify-reload')
  if (reload) {
    void idToken().then((text) => {
      const url = new URL(reload, location.origin)
      for (const [name, value] of Object.entries({
        embedded: '1',
        shop: config.shop,
        host: config.host,
        locale: config.locale,
      })) {
        if (value) url.searchParams.set(name, value)
      }
      url.searchParams.set('id_token', text)
      location.replace(url)
    })
  }

  // ── where the app is, shown in the admin's address ───────────────────────────────────────────────────────────────
  const place = () => {
    const url = new URL(location.href)
    for (const name of OWN_PARAMETERS) url.searchParams.delete(name)
    tell('place', { path: url.pathname + url.search + url.hash, title: document.title })
  }
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name].bind(history)
    history[name] = (...all) => {
      original(...all)
      if (!reload) place()
    }
  }
  addEventListener('popstate', () => place())
  addEventListener('hashchange', () => place())

  /** Goes to an entry of the app's menu: the real link is pressed, so that the app's own router sees it. */
  hear.navigate = (path) => {
    const links = [...document.querySelectorAll('ui-nav-menu a, s-app-nav a, s-app-nav s-link')]
    const link = links.find((each) => each.getAttribute('href') === path)
    if (link) link.click()
    else location.assign(path)
  }

  // Links into Shopify's own admin, `shopify://admin/orders` and `shopify:admin/orders`.
  const toAdmin = (address) => {
    const match = /^shopify:(?:\/\/)?admin(\/.*)?$/.exec(address ?? '')
    if (match) tell('admin-page', { path: match[1] ?? '/' })
    return match !== null
  }
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null
    if (link && toAdmin(link.getAttribute('href'))) event.preventDefault()
  })
  const plainOpen = window.open.bind(window)
  window.open = (address, target, ...rest) => {
    if (toAdmin(String(address))) return null
    if (target === '_top' || target === '_parent') {
      tell('leave', { url: new URL(address, location.href).href })
      return null
    }
    return plainOpen(address, target, ...rest)
  }

  // Hidden by a sheet, not by attributes: React compares those with what the server sent.
  const sheet = new CSSStyleSheet()
  sheet.replaceSync('ui-nav-menu, s-app-nav, ui-title-bar, ui-save-bar, ui-modal { display: none }')
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]

  // ── elements ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Buttons and links of an element as the admin draws them; pressing one there presses the real one here. */
  let lastAction = 0
  const actions = new Map()
  const actionsOf = (element) =>
    [...element.querySelectorAll('button, a, s-button, s-link')].map((node) => {
      node.devStoreAction ??= ++lastAction
      actions.set(node.devStoreAction, node)
      const disabled = node.hasAttribute('disabled')
      return {
        key: node.devStoreAction,
        label: node.textContent.trim(),
        href: node.getAttribute('href'),
        variant: node.getAttribute('variant'),
        tone: node.getAttribute('tone'),
        home: node.getAttribute('rel') === 'home',
        disabled,
        loading: node.hasAttribute('loading') && node.getAttribute('loading') !== 'false',
      }
    })
  hear.press = (key) => actions.get(key)?.click()

  /** An element that is redrawn in the admin whenever its insides change. */
  class Mirrored extends HTMLElement {
    connectedCallback() {
      this.watcher = new MutationObserver(() => this.soon())
      this.watcher.observe(this, { childList: true, subtree: true, attributes: true, characterData: true })
      this.soon()
    }
    disconnectedCallback() {
      this.watcher?.disconnect()
      this.gone()
    }
    soon() {
      if (this.queued) return
      this.queued = true
      queueMicrotask(() => {
        this.queued = false
        if (this.isConnected) this.draw()
      })
    }
    draw() {}
    gone() {}
  }

  class NavMenu extends Mirrored {
    draw() {
      tell('menu', { items: actionsOf(this).filter((item) => item.href) })
    }
    gone() {
      tell('menu', { items: [] })
    }
  }
  class TitleBar extends Mirrored {
    static observedAttributes = ['title']
    attributeChangedCallback() {
      this.soon()
    }
    draw() {
      const owner = this.closest('ui-modal')
      if (owner) owner.drawButtons(this)
      else tell('title-bar', { title: this.getAttribute('title'), items: actionsOf(this) })
    }
    gone() {
      tell('title-bar', { title: null, items: [] })
    }
  }

  let shownBar = null
  class SaveBar extends Mirrored {
    get showing() {
      return shownBar === this
    }
    show() {
      if (shownBar === this) return Promise.resolve()
      shownBar = this
      this.draw()
      this.dispatchEvent(new Event('show'))
      return Promise.resolve()
    }
    hide() {
      if (shownBar !== this) return Promise.resolve()
      shownBar = null
      tell('save-bar', { shown: false })
      this.dispatchEvent(new Event('hide'))
      return Promise.resolve()
    }
    toggle() {
      return this.showing ? this.hide() : this.show()
    }
    draw() {
      if (!this.showing) return
      const items = actionsOf(this)
      const save = items.find((item) => item.variant === 'primary') ?? items[0]
      const discard = items.find((item) => item !== save)
      tell('save-bar', { shown: true, save, discard, confirm: this.hasAttribute('discardconfirmation') })
    }
    gone() {
      void this.hide()
    }
  }

  // Forms that ask for a save bar of their own: <form data-save-bar>.
  const formBars = new WeakMap()
  const barOf = (form) => {
    let bar = formBars.get(form)
    if (!bar) {
      bar = document.createElement('ui-save-bar')
      const save = Object.assign(document.createElement('button'), {
        textContent: 'Save',
        onclick: () => form.requestSubmit(),
      })
      save.setAttribute('variant', 'primary')
      const discard = Object.assign(document.createElement('button'), {
        textContent: 'Discard',
        onclick: () => form.reset(),
      })
      bar.append(save, discard)
      document.body.append(bar)
      formBars.set(form, bar)
    }
    return bar
  }
  const savingForm = (event) => (event.target instanceof Element ? event.target.closest('form[data-save-bar]') : null)
  for (const name of ['input', 'change']) {
    addEventListener(name, (event) => {
      const form = savingForm(event)
      if (form) void barOf(form).show()
    })
  }
  for (const name of ['submit', 'reset']) {
    addEventListener(name, (event) => {
      const form = savingForm(event)
      if (form) void barOf(form).hide()
    })
  }

  class Modal extends HTMLElement {
    constructor() {
      super()
      // A slot of its own for what the app puts in: React writes into `content` through a portal.
      this.content = document.createElement('div')
    }
    disconnectedCallback() {
      void this.hide()
    }
    get showing() {
      return this.dialog?.open ?? false
    }
    get variant() {
      return this.getAttribute('variant') ?? 'base'
    }
    drawButtons(titleBar) {
      if (!this.dialog) return
      const title = titleBar?.getAttribute('title') ?? ''
      this.dialog.querySelector('h2').textContent = title
      const foot = this.dialog.querySelector('.foot')
      const items = titleBar ? actionsOf(titleBar) : []
      foot.replaceChildren(
        ...items.reverse().map((item) => {
          const button = Object.assign(document.createElement('button'), {
            type: 'button',
            textContent: item.label,
            disabled: item.disabled || item.loading,
          })
          button.className = item.variant === 'primary' ? (item.tone === 'critical' ? 'critical' : 'primary') : ''
          button.onclick = () => actions.get(item.key)?.click()
          return button
        }),
      )
      foot.hidden = items.length === 0
    }
    async show() {
      if (this.showing) return
      if (this.getAttribute('src')) throw notImitated('ui-modal with src')
      addModalStyle()
      this.dialog = document.createElement('dialog')
      this.dialog.className = `dev-store-modal ${this.variant}`
      this.dialog.innerHTML = `<div class="head"><h2 id="dev-store-modal-title"></h2><button type="button" aria-label="Close">✕</button></div><div class="body"></div><div class="foot"></div>`
      this.dialog.setAttribute('aria-labelledby', 'dev-store-modal-title')
      // Plain children (no React) are moved in as they are.
      const plain = [...this.childNodes].filter(
        (node) => !(node instanceof TitleBar) && !(node instanceof SaveBar) && node.textContent?.trim(),
      )
      if (this.content.childNodes.length === 0) this.content.append(...plain)
      this.dialog.querySelector('.body').append(this.content)
      this.dialog.querySelector('.head button').onclick = () => this.hide()
      this.dialog.addEventListener('cancel', (event) => {
        event.preventDefault()
        void this.hide()
      })
      document.body.append(this.dialog)
      this.drawButtons(this.querySelector('ui-title-bar'))
      this.dialog.showModal()
      tell('modal', { shown: true })
      this.dispatchEvent(new Event('show'))
    }
    hide() {
      if (!this.dialog) return Promise.resolve()
      this.dialog.close()
      this.dialog.remove()
      this.dialog = null
      tell('modal', { shown: false })
      this.dispatchEvent(new Event('hide'))
      return Promise.resolve()
    }
    toggle() {
      return this.showing ? this.hide() : this.show()
    }
  }

  const addModalStyle = () => {
    if (document.getElementById('dev-store-modal-style')) return
    const style = Object.assign(document.createElement('style'), { id: 'dev-store-modal-style' })
    style.textContent = `
      dialog.dev-store-modal { font: 14px/1.5 system-ui, sans-serif; width: min(38rem, calc(100vw - 2rem)); max-height: 85vh; padding: 0; border: 0; border-radius: 1rem; box-shadow: 0 20px 60px #0006; color: #303030; }
      dialog.dev-store-modal.small { width: min(24rem, calc(100vw - 2rem)); }
      dialog.dev-store-modal.large, dialog.dev-store-modal.max { width: min(62rem, calc(100vw - 2rem)); }
      dialog.dev-store-modal::backdrop { background: #0007; }
      .dev-store-modal .head { display: flex; justify-content: space-between; align-items: center; padding: .75rem 1rem; background: #f3f3f3; }
      .dev-store-modal h2 { font-size: 1rem; margin: 0; }
      .dev-store-modal .foot { display: flex; gap: .5rem; justify-content: flex-end; padding: .75rem 1rem; border-top: 1px solid #e3e3e3; }
      .dev-store-modal .head button, .dev-store-modal .foot button { font: inherit; font-weight: 600; min-height: 2rem; padding: .25rem .75rem; border: 1px solid #8a8a8a; border-radius: .5rem; background: #fff; color: #303030; cursor: pointer; }
      .dev-store-modal .foot button.primary { background: #303030; border-color: #303030; color: #fff; }
      .dev-store-modal .foot button.critical { background: #b42318; border-color: #b42318; color: #fff; }
      .dev-store-modal button:disabled { opacity: .5; cursor: default; }`
    document.head.append(style)
  }

  customElements.define('ui-nav-menu', NavMenu)
  customElements.define('s-app-nav', class extends NavMenu {})
  customElements.define('ui-title-bar', TitleBar)
  customElements.define('ui-save-bar', SaveBar)
  customElements.define('ui-modal', Modal)

  // ── window.shopify ───────────────────────────────────────────────────────────────────────────────────────────────
  const notImitated = (what) => {
    const error = new Error(`The dev store's App Bridge does not imitate ${what}.`)
    console.error(error.message)
    return error
  }
  const elementById = (id) => {
    const element = document.getElementById(id)
    if (!element) throw new Error(`There is no element with the id "${id}".`)
    return element
  }
  let lastToast = 0
  const toasts = new Map()
  hear['toast-action'] = (key) => toasts.get(key)?.onAction?.()
  hear['toast-gone'] = (key) => {
    toasts.get(key)?.onDismiss?.()
    toasts.delete(key)
  }

  const known = {
    config,
    origin: adminOrigin,
    ready: Promise.resolve(),
    environment: { embedded: window.parent !== window, mobile: false, pos: false },
    idToken,
    user: () => ask('user'),
    loading: (on = true) => tell('loading', { on: Boolean(on) }),
    toast: {
      show: (message, options = {}) => {
        lastToast += 1
        const key = `toast-${lastToast}`
        toasts.set(key, options)
        tell('toast', {
          key,
          message,
          isError: Boolean(options.isError),
          action: options.action,
          duration: options.duration ?? 5000,
        })
        return key
      },
      hide: (key) => tell('toast-hide', { key }),
    },
    saveBar: {
      show: (id) => elementById(id).show(),
      hide: (id) => elementById(id).hide(),
      toggle: (id) => elementById(id).toggle(),
      leaveConfirmation: () => (shownBar ? ask('leave-confirmation') : Promise.resolve()),
    },
    modal: {
      show: (id) => elementById(id).show(),
      hide: (id) => elementById(id).hide(),
      toggle: (id) => elementById(id).toggle(),
    },
    resourcePicker: async (options) => {
      const {
        type,
        action = 'add',
        selectionIds = [],
        multiple = false,
        query: search = '',
        filter = {},
      } = options ?? {}
      if (!['product', 'variant', 'collection'].includes(type))
        throw new Error(`resourcePicker: there is no type "${type}".`)
      const chosen = await ask('resource-picker', {
        options: { type, action, selectionIds, multiple, query: search, filter },
      })
      if (!chosen) return undefined
      return Object.assign(chosen, { selection: chosen })
    },
    scopes: {
      query: () => ask('scopes-query'),
      request: (scopes) => ask('scopes-request', { scopes }),
      revoke: (scopes) => ask('scopes-revoke', { scopes }),
    },
    app: { extensions: () => ask('extensions') },
    webVitals: { onReport: () => Promise.resolve() },
    support: { registerHandler: () => Promise.resolve() },
    reviews: {
      request: () =>
        Promise.resolve({ success: false, code: 'not-imitated', message: 'The dev store has no App Store.' }),
    },
    setSignals: () => {},
  }
  window.shopify = new Proxy(known, {
    get(target, name) {
      if (name in target || typeof name === 'symbol' || name === 'then' || name === '$$typeof' || name === 'toJSON')
        return target[name]
      throw notImitated(`shopify.${String(name)}`)
    },
  })

  // ── the page around ──────────────────────────────────────────────────────────────────────────────────────────────
  if (!reload) {
    const begin = () => {
      place()
      new MutationObserver(() => place()).observe(document.head, {
        subtree: true,
        childList: true,
        characterData: true,
      })
      tell('ready')
    }
    if (document.readyState === 'loading') addEventListener('DOMContentLoaded', begin)
    else begin()
  }
})()
