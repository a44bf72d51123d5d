/**
 * The admin's side of the App Bridge stand-in: draws the app's menu, title bar, save bar, toasts and pickers around the
 * frame, hands out session tokens, and keeps the address in step with the app.
 */
;(() => {
  const frame = document.getElementById('app-frame')
  if (!frame) return
  const { shop, base, appOrigin } = frame.dataset
  const find = (id) => document.getElementById(id)
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children)
    return element
  }
  const send = (data) => frame.contentWindow.postMessage(data, appOrigin)
  const press = (key) => send({ admin: 'press', value: key })
  const call = async (path, options) => {
    const response = await fetch(`${base}/bridge/${path}`, options)
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
  const post = (path, body) =>
    call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  /** Resolves with what the app's question is answered by. */
  const answers = {
    'id-token': async () => (await call('id-token')).token,
    user: () => call('user'),
    extensions: () => call('extensions'),
    'scopes-query': () => call('scopes'),
    'scopes-request': requestScopes,
    'scopes-revoke': ({ scopes }) => post('scopes/revoke', { scopes }),
    'resource-picker': ({ options }) => pickResources(options),
    'leave-confirmation': leaveConfirmation,
  }
  const news = {
    menu: ({ items }) => drawMenu(items),
    'title-bar': ({ title, items }) => drawTitleBar(title, items),
    'save-bar': (data) => drawSaveBar(data),
    toast: (data) => showToast(data),
    'toast-hide': ({ key }) => find(key)?.remove(),
    loading: ({ on }) => (find('loading').hidden = !on),
    modal: ({ shown }) => document.body.classList.toggle('app-modal', shown),
    place: ({ path, title }) => showPlace(path, title),
    ready: () => (find('loading').hidden = true),
    'admin-page': ({ path }) => goTo(base + path),
    leave: ({ url }) => goTo(url),
  }

  addEventListener('message', async (event) => {
    if (event.source !== frame.contentWindow || event.origin !== appOrigin || !event.data?.appBridge) return
    const { appBridge: kind, id, ...data } = event.data
    if (news[kind]) return news[kind](data)
    if (!answers[kind]) return send({ admin: 'reply', id, error: `The dev store's admin does not imitate ${kind}.` })
    try {
      const value = await answers[kind](data)
      if (value !== STAY) send({ admin: 'reply', id, value: value ?? null })
    } catch (error) {
      send({ admin: 'reply', id, error: error.message })
    }
  })

  // ── place ────────────────────────────────────────────────────────────────────────────────────────────────────────
  let menu = []
  function showPlace(path, title) {
    const address = `${frame.dataset.appBase}${path === '/' ? '' : path}`
    if (location.pathname + location.search !== address) history.replaceState(null, '', address)
    if (title) document.title = `${title} · ${shop}`
    markMenu(path)
  }
  function markMenu(path) {
    const plain = path.split('?')[0]
    const best = menu
      .filter((item) => plain === item.href || plain.startsWith(`${item.href}/`))
      .sort((a, b) => b.href.length - a.href.length)[0]
    for (const link of find('app-menu').querySelectorAll('a')) {
      if (best && link.dataset.href === best.href) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
  }
  function drawMenu(items) {
    // Shopify shows the home entry as the app's own name, not as an entry of the menu.
    menu = items
    find('app-menu').replaceChildren(
      ...items
        .filter((item) => !item.home)
        .map((item) => {
          const link = make('a', { href: frame.dataset.appBase + item.href, textContent: item.label })
          link.dataset.href = item.href
          link.onclick = (event) => {
            event.preventDefault()
            closeSidebar()
            send({ admin: 'navigate', value: item.href })
          }
          return make('li', {}, link)
        }),
    )
    const home = items.find((item) => item.home)
    find('app-home').onclick = (event) => {
      if (!home) return
      event.preventDefault()
      closeSidebar()
      send({ admin: 'navigate', value: home.href })
    }
    markMenu(location.pathname.slice(frame.dataset.appBase.length) || '/')
  }
  const closeSidebar = () => find('sidebar-toggle')?.setAttribute('aria-expanded', 'false')

  // ── bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  function drawTitleBar(title, items) {
    find('app-title').textContent = title ?? frame.title
    find('title-actions').replaceChildren(
      ...items.map((item) =>
        make('button', {
          type: 'button',
          textContent: item.label,
          disabled: item.disabled || item.loading,
          className: item.variant === 'primary' ? 'primary' : '',
          onclick: () => press(item.key),
        }),
      ),
    )
  }
  let bar = null
  function drawSaveBar(data) {
    bar = data.shown ? data : null
    find('save-bar').hidden = !bar
    document.body.classList.toggle('unsaved', Boolean(bar))
    if (!bar) return
    for (const [name, item] of [
      ['save', bar.save],
      ['discard', bar.discard],
    ]) {
      const button = find(`save-bar-${name}`)
      button.hidden = !item
      if (!item) continue
      button.textContent = item.label || (name === 'save' ? 'Save' : 'Discard')
      button.disabled = item.disabled || item.loading
    }
  }
  find('save-bar-save').onclick = () => bar && press(bar.save.key)
  find('save-bar-discard').onclick = async () => {
    if (!bar) return
    const { key } = bar.discard
    if (bar.confirm && !(await confirmLeaving())) return
    press(key)
  }
  /** Leaving asks first while the save bar shows: for links of the app, of the admin, and for closing the tab. */
  const STAY = Symbol('stay')
  async function leaveConfirmation() {
    // As in App Bridge: staying never answers.
    return (await confirmLeaving()) ? null : STAY
  }
  function confirmLeaving() {
    const dialog = find('leave-dialog')
    if (dialog.open) return Promise.resolve(false)
    dialog.returnValue = ''
    dialog.showModal()
    return new Promise((resolve) =>
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'leave'), { once: true }),
    )
  }
  let mayLeave = false
  async function goTo(url) {
    if (bar && !(await confirmLeaving())) return
    mayLeave = true
    location.assign(url)
  }
  addEventListener('beforeunload', (event) => {
    if (bar && !mayLeave) event.preventDefault()
  })
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null
    if (!bar || !link || event.defaultPrevented || link.target || event.metaKey || event.ctrlKey) return
    event.preventDefault()
    void goTo(link.href)
  })

  // ── toasts ───────────────────────────────────────────────────────────────────────────────────────────────────────
  function showToast({ key, message, isError, action, duration }) {
    const gone = () => {
      if (!toast.isConnected) return
      toast.remove()
      send({ admin: 'toast-gone', value: key })
    }
    const close = make('button', { type: 'button', ariaLabel: 'Dismiss', textContent: '✕', onclick: gone })
    const act = action
      ? [
          make('button', {
            type: 'button',
            textContent: action,
            onclick: () => send({ admin: 'toast-action', value: key }),
          }),
        ]
      : []
    const toast = make(
      'div',
      { id: key, className: isError ? 'toast error' : 'toast' },
      make('span', { textContent: message }),
      ...act,
      close,
    )
    find('toasts').append(toast)
    setTimeout(gone, duration)
  }

  // ── scopes ───────────────────────────────────────────────────────────────────────────────────────────────────────
  async function requestScopes({ scopes }) {
    const dialog = find('scopes-dialog')
    find('scopes-list').replaceChildren(...scopes.map((scope) => make('li', { textContent: scope })))
    dialog.returnValue = ''
    dialog.showModal()
    const given = await new Promise((resolve) =>
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'allow'), { once: true }),
    )
    if (given) return { result: 'granted-all', detail: await post('scopes/grant', { scopes }) }
    return { result: 'declined-all', detail: await call('scopes') }
  }

  // ── resource picker ──────────────────────────────────────────────────────────────────────────────────────────────
  function pickResources({ type, multiple, selectionIds, query, filter, action }) {
    const dialog = find('picker')
    const chosen = new Map(selectionIds.map(({ id }) => [id, null]))
    const most = multiple === true ? Infinity : multiple === false ? 1 : multiple
    find('picker-title').textContent = `${action === 'select' ? 'Select' : 'Add'} ${type}${most > 1 ? 's' : ''}`
    const search = find('picker-search')
    search.value = query
    const list = find('picker-list')
    let found = []
    const draw = () => {
      list.replaceChildren(
        ...found.map((row) => {
          const box = make('input', {
            type: most === 1 ? 'radio' : 'checkbox',
            name: 'picked',
            value: row.id,
            checked: chosen.has(row.id),
          })
          box.onchange = () => {
            if (most === 1) chosen.clear()
            if (box.checked && chosen.size < most) chosen.set(row.id, row)
            else chosen.delete(row.id)
            if (box.checked && !chosen.has(row.id)) box.checked = false
            count()
          }
          const picture = row.picture ? [make('img', { src: row.picture, alt: '', width: 32, height: 32 })] : []
          return make('li', {}, make('label', {}, box, ...picture, make('span', { textContent: row.title })))
        }),
      )
      find('picker-none').hidden = found.length > 0
      count()
    }
    const count = () => (find('picker-count').textContent = `${chosen.size} selected`)
    const load = async () => {
      const parameters = new URLSearchParams({
        type,
        query: search.value,
        ...(filter.query ? { filter: filter.query } : {}),
      })
      found = await call(`resources?${parameters}`)
      draw()
    }
    search.oninput = () => void load()
    void load()
    dialog.returnValue = ''
    dialog.showModal()
    return new Promise((resolve) => {
      const done = async () => {
        if (dialog.returnValue !== 'choose') return resolve(null)
        const ids = [...chosen.keys()]
        const rows =
          ids.length === 0 ? [] : await call(`resources?${new URLSearchParams({ type, ids: ids.join(',') })}`)
        resolve(rows.map(({ resource }) => resource))
      }
      dialog.addEventListener('close', () => void done(), { once: true })
    })
  }
})()
