import { BlockStack, Box, Card, Divider, InlineGrid, InlineStack, List, Text } from '@shopify/polaris'

import { nameOf, type CustomerNames } from '#app/ui/customer-names.ts'
import { ExportList } from '#app/ui/export-csv.tsx'
import { Figure } from '#app/ui/figure.tsx'
import { sayLines } from '#app/ui/import-words.ts'
import { showCount, showPoints, type PointsName } from '#app/ui/words.ts'

type Counts = { newMembers: number; knownMembers: number; refused: number }

type FiguresProps = {
  state: string
  counts: Counts
  points: number
  /** Of the points given, those that are in members' balances still, and those that an undo took back. */
  left: number
  takenBack: number
  /** What the points are worth that can be spent, in words; null where no reward is money off. */
  worth: string | null
}

/** Whom a file brings, how many points, and what the shop owes by them; after an undo, what was taken back. */
export function ImportFigures({ state, counts, points, left, takenBack, worth }: FiguresProps) {
  const members = counts.newMembers + counts.knownMembers
  const past = state === 'done' || state === 'undoing' || state === 'undone'
  return (
    <InlineGrid columns={{ xs: 1, sm: 3 }} gap={{ xs: '200', md: '400' }}>
      <Figure
        label={past ? 'Members brought over' : 'Members to bring over'}
        value={showCount(members)}
        note={`${showCount(counts.newMembers)} new, ${showCount(counts.knownMembers)} here already`}
      />
      <Figure
        label={past ? 'Points given' : 'Points to give'}
        value={showCount(points)}
        note={state === 'done' ? sayLeft(points, left) : past ? undefined : 'They can be spent at once'}
      />
      {state === 'undoing' || state === 'undone' ? (
        <Figure
          label="Points taken back"
          value={showCount(takenBack)}
          note={state === 'undone' ? sayKept(points - takenBack) : undefined}
        />
      ) : (
        <Figure
          label={past ? 'What you owe by them' : 'What you will owe by them'}
          value={worth ?? '—'}
          note={worth === null ? 'No reward with money off to reckon with' : 'At your best reward, if all are spent'}
        />
      )}
    </InlineGrid>
  )
}

function sayLeft(points: number, left: number): string {
  return left === points ? 'All of them are there still' : `${showCount(left)} of them are there still`
}

function sayKept(kept: number): string {
  return kept === 0 ? 'All of them' : `The other ${showCount(kept)} had been spent or had expired`
}

/** What the program makes of the file, before it is brought in. */
export function ImportTerms({ terms }: { terms: string[] }) {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          How they come in
        </Text>
        <List>
          {terms.map((term) => (
            <List.Item key={term}>{term}</List.Item>
          ))}
        </List>
      </BlockStack>
    </Card>
  )
}

type Line = {
  line: number
  customer: string
  points: number
  tier: string | null
  birthday: string | null
  lastDay: string | null
}

type LinesProps = {
  lines: Line[]
  total: number
  names: CustomerNames
  tiers: { id: string; name: string }[]
  pointsName: PointsName
}

/** The first lines that can be used, as they were understood. */
export function ImportLines({ lines, total, names, tiers, pointsName }: LinesProps) {
  if (lines.length === 0) return null
  const tierNames = new Map(tiers.map(({ id, name }) => [id, name]))
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          {total > lines.length ? `The first ${lines.length} of ${sayLines(total)}` : 'Line by line'}
        </Text>
        {lines.map((line) => (
          <BlockStack key={line.line} gap="200">
            <Divider />
            <InlineStack align="space-between" blockAlign="start" gap="200" wrap={false}>
              <BlockStack gap="050">
                <Text as="p" breakWord>
                  {nameOf(line.customer, names)}
                </Text>
                <Text as="p" variant="bodySm" tone="subdued">
                  {[`Line ${line.line}`, ...sayExtras(line, tierNames)].join(' · ')}
                </Text>
              </BlockStack>
              <div style={{ whiteSpace: 'nowrap' }}>
                <Text as="p" numeric>
                  {showPoints(line.points, pointsName)}
                </Text>
              </div>
            </InlineStack>
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

function sayExtras({ tier, birthday, lastDay }: Line, tierNames: Map<string, string>): string[] {
  return [
    ...(tier === null ? [] : [tierNames.get(tier) ?? tier]),
    ...(birthday === null ? [] : [`birthday ${showDate(`2000-${birthday}`, false)}`]),
    ...(lastDay === null ? [] : [`until ${showDate(lastDay, true)}`]),
  ]
}

/** A date as people write it: "23 Apr", "31 Mar 2027". */
function showDate(date: string, withYear: boolean): string {
  const year = withYear ? ('numeric' as const) : undefined
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short', year }).format(
    Date.parse(date),
  )
}

type Refused = { line: number; problems: { column: string; found: string; allowed: string }[] }

type RefusedProps = { id: string; lines: Refused[]; total: number }

/** Lines that cannot be used, with what is wrong with each; all of them as a file to mend. */
export function RefusedLines({ id, lines, total }: RefusedProps) {
  if (total === 0) return null
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd">
            {total === 1 ? '1 line is left out' : `${showCount(total)} lines are left out`}
          </Text>
          <ExportList name="lines-to-mend.csv" path={`/app/imports/${id}/refused`} />
        </InlineStack>
        <Text as="p" tone="subdued">
          Mend them in a spreadsheet and bring that file in as well. The others do not wait for them.
        </Text>
        {lines.map(({ line, problems }) => (
          <BlockStack key={line} gap="200">
            <Divider />
            <Text as="p" fontWeight="medium">{`Line ${line}`}</Text>
            <List>
              {problems.map(({ column, found, allowed }) => (
                <List.Item key={column}>
                  <span style={{ overflowWrap: 'anywhere' }}>{`${column}: “${found}”. Allowed: ${allowed}.`}</span>
                </List.Item>
              ))}
            </List>
          </BlockStack>
        ))}
        {total > lines.length && (
          <Box>
            <Text as="p" tone="subdued">{`${showCount(total - lines.length)} more are in the exported file.`}</Text>
          </Box>
        )}
      </BlockStack>
    </Card>
  )
}
