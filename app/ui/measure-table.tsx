import { BlockStack, Box, Card, InlineStack, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

import { ExportCsv } from '#app/ui/export-csv.tsx'

type MeasureTableProps = {
  heading: string
  /** What the rows are made of, in a sentence. */
  explanation: string
  head: string[]
  /** Places of columns that hold words: they begin on the left like the first. */
  words?: number[]
  rows: { key: string; cells: ReactNode[] }[]
  /** The same table as it is exported. */
  csv: { name: string; rows: readonly (readonly (string | number | null)[])[] }
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
        <Box overflowX="scroll" tabIndex={0}>
          <table
            data-measures
            style={{ borderCollapse: 'collapse', width: '100%', fontVariantNumeric: 'tabular-nums' }}
          >
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
        </Box>
      </BlockStack>
    </Card>
  )
}

const CELL = {
  padding: '0.375rem 0.5rem',
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
