import { Button } from '@shopify/polaris'
import { useState } from 'react'

import { saveFile } from '#app/ui/save-file.ts'

/** A row of a table; null is an empty cell. */
export type CsvRow = readonly (string | number | null)[]

/** Rows of a table as CSV (RFC 4180), the head first. */
export function toCsv(rows: readonly CsvRow[]): string {
  return rows.map((row) => `${row.map(quote).join(',')}\r\n`).join('')
}

/**
 * Where a spreadsheet could see a formula begin: with the text, with a line of it, and after what separates cells for a spreadsheet of
 * another country, which does not look at our quotes then: `nice;=1+1`. Japanese ones take the wide signs too.
 */
const FORMULA = /(^|[;\t\r\n])((?:[^\S\t\r\n]|")*)(?=[=+\-@＝＋－＠])/g

function quote(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  // What would be a formula is given as text.
  const safe = value.replace(FORMULA, "$1$2'")
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A button that saves a table as a file; nothing leaves the browser for it. */
export function ExportCsv({ name, rows }: { name: string; rows: readonly CsvRow[] }) {
  return (
    <Button variant="tertiary" onClick={() => saveFile(name, toCsv(rows), 'text/csv')} disabled={rows.length < 2}>
      Export CSV
    </Button>
  )
}

/** The same for a list that is longer than the page: the file is fetched from `path`. */
export function ExportList({ name, path }: { name: string; path: string }) {
  const [state, setState] = useState<'ready' | 'busy' | 'failed'>('ready')
  const fetchAndSave = async () => {
    setState('busy')
    // App Bridge puts the session token on requests to the app itself.
    const reply = await fetch(path).catch(() => null)
    if (!reply?.ok) return setState('failed')
    saveFile(name, await reply.text(), 'text/csv')
    setState('ready')
  }
  return (
    <Button onClick={() => void fetchAndSave()} loading={state === 'busy'}>
      {state === 'failed' ? 'Export failed, try again' : 'Export CSV'}
    </Button>
  )
}
