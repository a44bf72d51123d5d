import { Link, useSearchParams } from '@remix-run/react'
import { Box, Card, IndexTable, InlineStack, Pagination, Text, useBreakpoints } from '@shopify/polaris'

import { formatMoney } from '#app/loyalty/money.ts'
import type { CustomerBehind } from '#app/retention/segments.ts'
import { nameOf, type CustomerNames } from '#app/ui/customer-names.ts'
import { shopifyNumber, showCount, showDay, showMoney, showRate } from '#app/ui/words.ts'

type CustomersBehindProps = {
  rows: CustomerBehind[]
  /** Customers in the whole list, and the place of this page in it. */
  total: number
  page: number
  pageSize: number
  names: CustomerNames
  currency: string
  timezone: string
}

/** The customers behind a number, a page at a time, with what they have spent and what is expected of them. */
export function CustomersBehind({ rows, total, page, pageSize, names, currency, timezone }: CustomersBehindProps) {
  const { smDown } = useBreakpoints()
  const isUntold = rows.some((row) => row.expectedOrders !== null && row.active === null)
  const showsPoints = rows.some((row) => row.points !== null)
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const day = (at: number | null) => (at === null ? '—' : showDay(at, timezone))
  return (
    <Card padding="0">
      <IndexTable
        condensed={false}
        selectable={false}
        resourceName={{ singular: 'customer', plural: 'customers' }}
        itemCount={rows.length}
        headings={[
          { title: 'Customer' },
          ...(showsPoints ? [{ title: 'Points', alignment: 'end' as const }] : []),
          { title: 'Orders', alignment: 'end' },
          { title: 'Spent', alignment: 'end' },
          { title: 'Last order', alignment: 'end' },
          { title: 'First order', alignment: 'end', hidden: smDown },
          { title: 'Still a customer', alignment: 'end', hidden: smDown },
          { title: 'Orders expected', alignment: 'end', hidden: smDown },
          { title: 'Value expected', alignment: 'end', hidden: smDown },
        ]}
      >
        {rows.map((row, position) => (
          <IndexTable.Row id={row.customer} key={row.customer} position={position}>
            <IndexTable.Cell>
              <Link to={`/app/members/${shopifyNumber(row.customer)}`} data-primary-link style={{ color: 'inherit' }}>
                <Text as="span" fontWeight="semibold">
                  {nameOf(row.customer, names)}
                </Text>
              </Link>
            </IndexTable.Cell>
            {showsPoints && <End>{showCount(row.points ?? 0)}</End>}
            <End>{showCount(row.orders)}</End>
            <End>{money(row.revenueMinor)}</End>
            <End>{day(row.lastAt)}</End>
            {!smDown && (
              <>
                <End>{day(row.firstAt)}</End>
                <End>{sayActive(row.active)}</End>
                <End>{row.expectedOrders === null ? '—' : row.expectedOrders.toFixed(1)}</End>
                <End>{money(row.expectedMinor)}</End>
              </>
            )}
          </IndexTable.Row>
        ))}
      </IndexTable>
      {isUntold && !smDown && (
        <Box padding="300" borderBlockStartWidth="025" borderColor="border">
          <Text as="p" variant="bodySm" tone="subdued">
            Still a customer: cannot be told. Hardly any of your customers has left for good, so the prediction would
            say about 100% of everybody.
          </Text>
        </Box>
      )}
      <Pages page={page} pages={Math.ceil(total / pageSize)} />
    </Card>
  )
}

/** In BG/NBD nobody is lost before a second order: its 100% for first-time buyers says nothing, so it is not shown. */
function sayActive(active: number | null): string {
  return showRate(active === 1 ? null : active)
}

function End({ children }: { children: string }) {
  return (
    <IndexTable.Cell>
      <Text as="span" alignment="end" numeric>
        {children}
      </Text>
    </IndexTable.Cell>
  )
}

function Pages({ page, pages }: { page: number; pages: number }) {
  const [params, setParams] = useSearchParams()
  if (pages <= 1) return null
  const go = (to: number) => {
    const next = new URLSearchParams(params)
    next.set('page', String(to))
    setParams(next)
  }
  return (
    <Box padding="300" borderBlockStartWidth="025" borderColor="border">
      <InlineStack align="center">
        <Pagination
          label={`Page ${page} of ${pages}`}
          hasPrevious={page > 1}
          onPrevious={() => go(page - 1)}
          hasNext={page < pages}
          onNext={() => go(page + 1)}
        />
      </InlineStack>
    </Box>
  )
}
