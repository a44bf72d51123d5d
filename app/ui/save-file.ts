/** Saves a text as a file in the visitor's downloads; nothing leaves the browser for it. */
export function saveFile(name: string, text: string, type: 'text/csv' | 'application/json'): void {
  // Spreadsheets take a CSV for UTF-8 only when it begins with a byte order mark; JSON must not have one.
  const parts = type === 'text/csv' ? ['\uFEFF', text] : [text]
  const address = URL.createObjectURL(new Blob(parts, { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
