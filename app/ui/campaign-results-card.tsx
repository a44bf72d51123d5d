import { BlockStack, Card, InlineGrid, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

import { currencyExponent, formatDecimal, formatMoney } from '#app/loyalty/money.ts'
import { nameGroup, type CampaignGroup } from '#app/retention/segments.ts'
import { sayLift, type Comparison, type whyUncompared } from '#app/ui/campaign-results.ts'
import { CustomersLink } from '#app/ui/retention-page.tsx'
import { sayCustomers, showCount, showInstant, showList, showMoney, showRate } from '#app/ui/words.ts'

type Results = {
  id: string
  orders: number
  revenueMinor: number
  points: number
  buyers: number
  newBuyers: number
  discountMinor: number
  /** Orders that carried this campaign, and their goods. */
  ownOrders: number
  ownRevenueMinor: number
  ownBuyers: number
  /** When it ran so far. */
  times: { fromAt: number; untilAt: number }[]
  runsNow: boolean
  /** Why it ended before its time; null where it did not. */
  endedReason: string | null
  /** What this campaign's own discount came to; null where it gives points and no money. */
  givenMinor: number | null
  /** The cap at which it ends; null without one. */
  budgetMinor: number | null
  comparison: (Comparison & { limited: boolean }) | null
  uncompared: ReturnType<typeof whyUncompared>
}

const ENDED = { budget: '. It ended when its budget was reached.', hand: '. It was ended by hand.' }

const NOBODY_HELD_OUT =
  'Nobody was held out, so what it changed cannot be told. Hold out a share of customers next time.'
const AUDIENCE_UNKNOWN =
  'It is for some customers only, and who they were was not noted when it began: customers move between levels and segments by what they buy. From now on it is noted.'

/** What happened while it ran, and, where customers were held out, what it changed. The two are told apart by name. */
export function CampaignResults({
  results,
  currency,
  timezone,
}: {
  results: Results
  currency: string
  timezone: string
}) {
  const money = (minor: number) => showMoney(formatMoney(minor, currency), currency)
  const open = (group: CampaignGroup, customers: number) => ({
    of: nameGroup({ kind: 'campaign', group, id: results.id }),
    customers,
  })
  const returning = results.buyers - results.newBuyers
  const ownOrders = `${showCount(results.ownOrders)} ${results.ownOrders === 1 ? 'order' : 'orders'}`
  return (
    <Card>
      <BlockStack gap="400">
        <BlockStack gap="100">
          <Text as="h2" variant="headingMd">
            Results
          </Text>
          <Text as="p" tone="subdued">
            {sayTimes(results, timezone)}
          </Text>
        </BlockStack>
        <InlineGrid columns={{ xs: 2, md: results.givenMinor === null ? 4 : 5 }} gap="400">
          <Number
            {...open('buyers', results.buyers)}
            label="Orders in the store"
            value={showCount(results.orders)}
            note={`${money(results.revenueMinor)} of goods`}
          />
          <Number
            {...open('buyers', results.buyers)}
            label="Buyers"
            value={showCount(results.buyers)}
            note={
              <>
                <CustomersLink {...open('new', results.newBuyers)} label={`${showCount(results.newBuyers)} new buyers`}>
                  {`${showCount(results.newBuyers)} new`}
                </CustomersLink>
                {', '}
                <CustomersLink {...open('returning', returning)} label={`${showCount(returning)} returning buyers`}>
                  {`${showCount(returning)} returning`}
                </CustomersLink>
              </>
            }
          />
          {results.givenMinor !== null && (
            <Number
              {...open('own', results.ownBuyers)}
              label="This campaign’s discount"
              value={money(results.givenMinor)}
              note={
                results.budgetMinor === null ? 'It has no budget cap' : `of a budget of ${money(results.budgetMinor)}`
              }
            />
          )}
          <Number
            {...open('buyers', results.buyers)}
            label="All discounts"
            value={money(results.discountMinor)}
            note="With codes, levels and other campaigns"
          />
          <Number {...open('buyers', results.buyers)} label="Points earned" value={showCount(results.points)} />
        </InlineGrid>
        <BlockStack gap="200">
          <Text as="h3" variant="headingSm">
            Did it work?
          </Text>
          {results.comparison ? (
            <Compared comparison={results.comparison} {...{ open, currency }} />
          ) : (
            <Text as="p" tone="subdued">
              {results.uncompared === 'audience_unknown' ? AUDIENCE_UNKNOWN : NOBODY_HELD_OUT}
            </Text>
          )}
          <Text as="p" variant="bodySm" tone="subdued">
            {'Attributed: '}
            <CustomersLink {...open('own', results.ownBuyers)} label={`${ownOrders}, attributed`}>
              {ownOrders}
            </CustomersLink>
            {` carried this campaign (${money(results.ownRevenueMinor)} of goods). Many of these would have been placed without it: this is not what it brought in.`}
          </Text>
        </BlockStack>
      </BlockStack>
    </Card>
  )
}

type Opens = { of: string; customers: number }

function Number({ label, value, note, ...opens }: Opens & { label: string; value: string; note?: ReactNode }) {
  return (
    <BlockStack gap="100">
      <Text as="p" tone="subdued">
        {label}
      </Text>
      <Text as="p" variant="headingLg">
        <CustomersLink {...opens} label={`${label}: ${value}`}>
          {value}
        </CustomersLink>
      </Text>
      {note && (
        <Text as="p" variant="bodySm" tone="subdued">
          {note}
        </Text>
      )}
    </BlockStack>
  )
}

type ComparedProps = {
  comparison: Comparison & { limited: boolean }
  open: (group: CampaignGroup, customers: number) => Opens
  currency: string
}

function Compared({ comparison, open, currency }: ComparedProps) {
  const { offered, heldOut, mixed, orders, revenue, limited } = comparison
  return (
    <BlockStack gap="100">
      <Text as="p">
        <CustomersLink {...open('offered', offered)} label={`Offered: ${showCount(offered)}`}>
          {showCount(offered)}
        </CustomersLink>
        {' customers were offered it, '}
        <CustomersLink {...open('heldOut', heldOut)} label={`Held out: ${showCount(heldOut)}`}>
          {showCount(heldOut)}
        </CustomersLink>
        {` were held out by chance${limited ? ': those it was for when it began, whatever they have become since' : ''}.`}
      </Text>
      {mixed > 0 && (
        <Text as="p">
          {`${sayCustomers(mixed)} ${mixed === 1 ? 'is' : 'are'} in neither: merged since from customers of both.`}
        </Text>
      )}
      <Text as="p">{`Orders per customer: ${sayLift(orders, offered + heldOut, (value) => value.toFixed(3))}`}</Text>
      <Text as="p">{`Revenue per customer: ${sayLift(revenue, offered + heldOut, (minor) => signedMoney(minor, currency))}`}</Text>
      {revenue.ok && (
        <Text as="p" variant="bodySm" tone="subdued">
          {`What customers had spent in as long a time before is taken out of the difference (CUPED): it explains ${showRate(revenue.varianceRemoved)} of how much their revenue varies.`}
        </Text>
      )}
    </BlockStack>
  )
}

/** "While it ran: 3 Jul 2026, 00:00 to 5 Jul 2026, 12:00. It ended when its budget was reached." */
function sayTimes({ times, runsNow, endedReason }: Results, timezone: string): string {
  if (times.length === 0) return 'It never ran.'
  const said = times.map(({ fromAt, untilAt }, index) =>
    runsNow && index === times.length - 1
      ? `since ${showInstant(fromAt, timezone)}`
      : `${showInstant(fromAt, timezone)} to ${showInstant(untilAt, timezone)}`,
  )
  const ended = endedReason === null ? '' : ENDED[endedReason === 'budget' ? 'budget' : 'hand']
  return `While it ran: ${showList(said)}${ended}`
}

/** A mean of minor units, rounded to whole ones: it is shown, never counted with. */
function signedMoney(minor: number, currency: string): string {
  const whole = Math.round(minor)
  const amount = showMoney(formatDecimal(Math.abs(whole), currencyExponent(currency)), currency)
  return whole < 0 ? `−${amount}` : amount
}
