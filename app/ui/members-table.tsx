import { Link, useSearchParams } from '@remix-run/react'
import {
  Badge,
  BlockStack,
  Box,
  Card,
  IndexTable,
  InlineStack,
  Pagination,
  Text,
  useBreakpoints,
} from '@shopify/polaris'

import { nameOf, type CustomerNames } from '#app/ui/customer-names.ts'
import { shopifyNumber, showCount, showDay, showPoints, type PointsName } from '#app/ui/words.ts'

type Member = {
  customer: string
  joinedAt: number
  tier: string | null
  available: number
  pending: number
  orders: number
  lastOrderAt: number | null
}

type MembersTableProps = {
  page: { rows: Member[]; next: string | null; previous: string | null }
  names: CustomerNames
  tiers: { id: string; name: string }[]
  pointsName: PointsName
  timezone: string
}

/** One page of members: a table on a desk, a list on a phone. */
export function MembersTable({ page, names, tiers, pointsName, timezone }: MembersTableProps) {
  const { smDown } = useBreakpoints()
  const tierNames = new Map(tiers.map(({ id, name }) => [id, name]))
  return (
    <Card padding="0">
      <IndexTable
        condensed={smDown}
        selectable={false}
        resourceName={{ singular: 'member', plural: 'members' }}
        itemCount={page.rows.length}
        headings={[
          { title: 'Member' },
          // A heading that is only hidden would still stand above a column.
          ...(tiers.length > 0 ? [{ title: 'Tier' }] : []),
          { title: 'To spend', alignment: 'end' },
          { title: 'Waiting', alignment: 'end' },
          { title: 'Orders', alignment: 'end' },
          { title: 'Last order', alignment: 'end' },
          { title: 'Joined', alignment: 'end' },
        ]}
      >
        {page.rows.map((member, position) => (
          <IndexTable.Row id={member.customer} key={member.customer} position={position}>
            {smDown ? (
              <PhoneRow member={member} names={names} tierNames={tierNames} pointsName={pointsName} />
            ) : (
              <>
                <IndexTable.Cell>
                  <MemberLink customer={member.customer} names={names} />
                </IndexTable.Cell>
                {tiers.length > 0 && (
                  <IndexTable.Cell>
                    {member.tier && <Badge>{tierNames.get(member.tier) ?? member.tier}</Badge>}
                  </IndexTable.Cell>
                )}
                <NumberCell value={member.available} />
                <NumberCell value={member.pending} />
                <NumberCell value={member.orders} />
                <DayCell at={member.lastOrderAt} timezone={timezone} />
                <DayCell at={member.joinedAt} timezone={timezone} />
              </>
            )}
          </IndexTable.Row>
        ))}
      </IndexTable>
      <Pages next={page.next} previous={page.previous} />
    </Card>
  )
}

function MemberLink({ customer, names }: { customer: string; names: CustomerNames }) {
  return (
    <Link to={`/app/members/${shopifyNumber(customer)}`} data-primary-link style={{ color: 'inherit' }}>
      <Text as="span" fontWeight="semibold">
        {nameOf(customer, names)}
      </Text>
    </Link>
  )
}

function NumberCell({ value }: { value: number }) {
  return (
    <IndexTable.Cell>
      <Text as="span" alignment="end" numeric tone={value < 0 ? 'critical' : undefined}>
        {showCount(value)}
      </Text>
    </IndexTable.Cell>
  )
}

function DayCell({ at, timezone }: { at: number | null; timezone: string }) {
  return (
    <IndexTable.Cell>
      <Text as="span" alignment="end" numeric>
        {at === null ? '—' : showDay(at, timezone)}
      </Text>
    </IndexTable.Cell>
  )
}

type PhoneRowProps = {
  member: Member
  names: CustomerNames
  tierNames: Map<string, string>
  pointsName: PointsName
}

function PhoneRow({ member, names, tierNames, pointsName }: PhoneRowProps) {
  return (
    <Box padding="300" width="100%">
      <InlineStack align="space-between" blockAlign="center" gap="200">
        <BlockStack gap="100">
          <MemberLink customer={member.customer} names={names} />
          <Text as="span" variant="bodySm" tone="subdued">
            {`${showCount(member.orders)} ${member.orders === 1 ? 'order' : 'orders'}`}
            {member.tier ? ` · ${tierNames.get(member.tier) ?? member.tier}` : ''}
          </Text>
        </BlockStack>
        <BlockStack gap="100" inlineAlign="end">
          <Text as="span">{showPoints(member.available, pointsName)}</Text>
          {member.pending > 0 && (
            <Text as="span" variant="bodySm" tone="subdued">{`+${showCount(member.pending)} waiting`}</Text>
          )}
        </BlockStack>
      </InlineStack>
    </Box>
  )
}

/** Pages of a list, by cursor. Nothing where one page holds all. */
function Pages({ next, previous }: { next: string | null; previous: string | null }) {
  const [params, setParams] = useSearchParams()
  if (!next && !previous) return null
  const go = (cursor: string) =>
    setParams(new URLSearchParams([...params].filter(([name]) => name !== 'cursor').concat([['cursor', cursor]])))
  return (
    <Box padding="300" borderBlockStartWidth="025" borderColor="border">
      <InlineStack align="center">
        <Pagination
          hasPrevious={previous !== null}
          onPrevious={() => previous && go(previous)}
          hasNext={next !== null}
          onNext={() => next && go(next)}
        />
      </InlineStack>
    </Box>
  )
}
