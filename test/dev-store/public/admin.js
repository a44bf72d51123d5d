/** The sidebar on a narrow screen: opened and closed by its button, closed by Escape. */
;(() => {
  const button = document.getElementById('sidebar-toggle')
  if (!button) return
  const set = (open) => {
    button.setAttribute('aria-expanded', String(open))
  }
  button.addEventListener('click', () => set(button.getAttribute('aria-expanded') !== 'true'))
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') set(false)
  })
})()
