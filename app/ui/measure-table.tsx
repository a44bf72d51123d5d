import { BlockStack, Card, InlineStack, Text } from '@shopify/polaris'
import type { CSSProperties, ReactNode } from 'react'

import { ExportCsv, type CsvRow } from '#app/ui/export-csv.tsx'

type MeasureTableProps = {
  heading: string
  /** What the rows are made of, in a sentence. */
  explanation: string
  head: string[]
  /** Places of columns that hold words: they begin on the left like the first. */
  words?: number[]
  rows: { key: string; cells: ReactNode[] }[]
  /** The same table as it is exported. */
  csv: { name: string; rows: readonly CsvRow[] }
  children?: ReactNode
}

/** A table of measures on a card, with what it means, a chart above it where there is one, and its export. */
export function MeasureTable({ heading, explanation, head, words = [], rows, csv, children }: MeasureTableProps) {
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="start" gap="400" wrap={false}>
          <BlockStack gap="100">
            <Text as="h2" variant="headingMd">
              {heading}
            </Text>
            <Text as="p" tone="subdued">
              {explanation}
            </Text>
          </BlockStack>
          <div data-screen-only style={{ flexShrink: 0 }}>
            <ExportCsv {...csv} />
          </div>
        </InlineStack>
        {children}
        <div tabIndex={0} style={SIDEWAYS}>
          <table data-measures style={head.length > MANY_COLUMNS ? { ...TABLE, ...NARROW } : TABLE}>
            <caption style={{ position: 'absolute', clip: 'rect(0 0 0 0)', width: 1, height: 1, overflow: 'hidden' }}>
              {heading}
            </caption>
            <thead>
              <tr>
                {head.map((title, place) => (
                  <th
                    key={title}
                    scope="col"
                    style={{
                      ...(place === 0 ? FIRST_CELL : CELL),
                      // A long name takes two lines rather than a wide column of short numbers.
                      whiteSpace: 'normal',
                      minWidth: title.length <= 12 ? undefined : head.length > MANY_COLUMNS ? '5rem' : '7rem',
                      verticalAlign: 'bottom',
                      textAlign: place === 0 || words.includes(place) ? 'start' : 'end',
                      fontWeight: 550,
                    }}
                  >
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, cells }) => (
                <tr key={key}>
                  {cells.map((cell, place) =>
                    place === 0 ? (
                      <th key={head[place]} scope="row" style={FIRST_CELL}>
                        {cell}
                      </th>
                    ) : (
                      <td
                        key={head[place]}
                        data-words={words.includes(place) || undefined}
                        style={words.includes(place) ? WORDS_CELL : { ...CELL, textAlign: 'end' }}
                      >
                        {cell}
                      </td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </BlockStack>
    </Card>
  )
}

/**
 * A table wider than its card is moved sideways. Until its end is reached, a shadow on the right says that there is more: it stays where it is,
 * and what covers it moves with the table.
 */
const SIDEWAYS = {
  position: 'relative',
  overflowX: 'auto',
  background: `linear-gradient(to left, var(--p-color-bg-surface, #fff) 50%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, rgb(0 0 0 / 0.2), transparent) right / 1.25rem 100% no-repeat scroll`,
} as const

/** The room inside a cell is named, so that a shade can fill it and paper can have less of it (print.css). */
const TABLE = {
  '--cell-block': '0.375rem',
  '--cell-inline': '0.5rem',
  // Cells that stay in sight would lose their lines if these were shared.
  borderCollapse: 'separate',
  borderSpacing: 0,
  width: '100%',
  fontVariantNumeric: 'tabular-nums',
} as CSSProperties

/** So many columns only fit on a desk side by side with less room between them. */
const MANY_COLUMNS = 14
const NARROW = { '--cell-inline': '0.3125rem', fontSize: '0.75rem' } as CSSProperties

const CELL = {
  padding: 'var(--cell-block) var(--cell-inline)',
  borderBlockEnd: '1px solid var(--p-color-border, #e3e3e3)',
  whiteSpace: 'nowrap',
} as const

/** The row's name stays in sight while a wide table is moved sideways. */
const FIRST_CELL = {
  ...CELL,
  textAlign: 'start',
  fontWeight: 450,
  position: 'sticky',
  insetInlineStart: 0,
  background: 'var(--p-color-bg-surface, #fff)',
} as const

/** Words may take a second line on a phone, rather than be cut off. */
const WORDS_CELL = { ...CELL, textAlign: 'start', whiteSpace: 'normal', minWidth: '8rem' } as const

/** A cell of a heat map, from 0 (white) to 1: its number is always there in words, the shade only helps to see the pattern. */
export function Shaded({ by, children }: { by: number; children: ReactNode }) {
  return (
    <span
      style={{
        display: 'block',
        margin: 'calc(-1 * var(--cell-block)) calc(-1 * var(--cell-inline))',
        padding: 'var(--cell-block) var(--cell-inline)',
        // Dark words stay readable on the darkest.
        background: `rgb(32 32 32 / ${(Math.min(1, Math.max(0, by)) * 0.35).toFixed(3)})`,
      }}
    >
      {children}
    </span>
  )
}
