import { Link, useSearchParams } from '@remix-run/react'
import { Badge, BlockStack, Box, Card, Divider, InlineStack, Pagination, Select, Text } from '@shopify/polaris'

import { bandOf } from '#app/retention/nps.ts'
import { nameOf, type CustomerNames } from '#app/ui/customer-names.ts'
import { ExportList } from '#app/ui/export-csv.tsx'
import { shopifyNumber, showCount, showDay } from '#app/ui/words.ts'

/** Whose answers are listed. */
export type ShownBand = 'all' | 'promoters' | 'passives' | 'detractors'

type FeedbackAnswersProps = {
  rows: { customer: string; score: number; comment: string | null; answeredAt: number }[]
  total: number
  page: number
  pageSize: number
  shown: ShownBand
  withWords: boolean
  names: CustomerNames
  timezone: string
}

const BAND_OPTIONS: { label: string; value: ShownBand }[] = [
  { label: 'Everybody', value: 'all' },
  { label: 'Promoters, 9 and 10', value: 'promoters' },
  { label: 'Passives, 7 and 8', value: 'passives' },
  { label: 'Detractors, 0 to 6', value: 'detractors' },
]
const TONES = { promoters: 'success', passives: undefined, detractors: 'attention' } as const

/** What customers said in the last 12 months, newest first, a page at a time. */
export function FeedbackAnswers({
  rows,
  total,
  page,
  pageSize,
  shown,
  withWords,
  names,
  timezone,
}: FeedbackAnswersProps) {
  const [params, setParams] = useSearchParams()
  const go = (change: Record<string, string | null>) => {
    const next = new URLSearchParams(params)
    for (const [key, value] of Object.entries(change)) {
      if (value === null) next.delete(key)
      else next.set(key, value)
    }
    setParams(next, { preventScrollReset: true })
  }
  const pages = Math.ceil(total / pageSize)
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="start" gap="400">
          <BlockStack gap="100">
            <Text as="h2" variant="headingMd">
              What they said
            </Text>
            <Text as="p" tone="subdued">
              {`${showCount(total)} ${total === 1 ? 'answer' : 'answers'} of the last 12 months, newest first`}
            </Text>
          </BlockStack>
          <ExportList name="answers.csv" path="/app/retention/answers" />
        </InlineStack>
        <InlineStack gap="300">
          <Select
            label="From"
            labelInline
            options={BAND_OPTIONS}
            value={shown}
            onChange={(band) => go({ band: band === 'all' ? null : band, page: null })}
          />
          <Select
            label="Show"
            labelInline
            options={[
              { label: 'Answers with words', value: 'words' },
              { label: 'All answers', value: 'all' },
            ]}
            value={withWords ? 'words' : 'all'}
            onChange={(value) => go({ all: value === 'all' ? '1' : null, page: null })}
          />
        </InlineStack>
        {rows.length === 0 ? (
          <Text as="p" tone="subdued">
            {withWords ? 'Nobody here wrote anything.' : 'Nobody here answered.'}
          </Text>
        ) : (
          <BlockStack gap="300" as="ul">
            {rows.map((row) => (
              <li key={row.customer} style={{ listStyle: 'none' }}>
                <Answer row={row} name={nameOf(row.customer, names)} timezone={timezone} />
              </li>
            ))}
          </BlockStack>
        )}
        {pages > 1 && (
          <InlineStack align="center">
            <Pagination
              label={`Page ${page} of ${pages}`}
              hasPrevious={page > 1}
              onPrevious={() => go({ page: String(page - 1) })}
              hasNext={page < pages}
              onNext={() => go({ page: String(page + 1) })}
            />
          </InlineStack>
        )}
      </BlockStack>
    </Card>
  )
}

function Answer({
  row,
  name,
  timezone,
}: {
  row: FeedbackAnswersProps['rows'][number]
  name: string
  timezone: string
}) {
  const { customer, score, comment, answeredAt } = row
  return (
    <BlockStack gap="200">
      <InlineStack gap="200" blockAlign="center">
        <Badge tone={TONES[bandOf(score)]}>{`${score} of 10`}</Badge>
        <Link to={`/app/members/${shopifyNumber(customer)}`} style={{ color: 'inherit' }}>
          <Text as="span" fontWeight="semibold">
            {name}
          </Text>
        </Link>
        <Text as="span" tone="subdued">
          {showDay(answeredAt, timezone)}
        </Text>
      </InlineStack>
      {comment !== null && (
        <Box>
          <p style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{comment}</p>
        </Box>
      )}
      <Divider />
    </BlockStack>
  )
}
