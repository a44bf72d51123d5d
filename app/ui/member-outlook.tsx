import { BlockStack, Card, InlineStack, Link, Text } from '@shopify/polaris'

import { addMonths } from '#app/loyalty/time.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import type { ReplacementCycle } from '#app/retention/lifecycle.ts'
import { sayCycle, sayDays } from '#app/ui/cycles.ts'
import { showDay, showMoney, showRate } from '#app/ui/words.ts'

type MemberOutlookProps = {
  /** Where the member stands (db/cycles.server.ts); null without an order that counts. */
  lifecycle: {
    lastAt: number
    own: { passiveFrom: number; lostFrom: number; because: { placedAt: number; cycle: ReplacementCycle } | null } | null
  } | null
  /** What is expected of the next 12 months; null where nothing can be said. `active` is null where the shop's fit cannot tell. */
  expected: { active: number | null; orders: number; valueMinor: number | null; fittedAt: number } | null
  /** What the member answered last to "would you recommend us?". */
  answer: { score: number; comment: string | null; answeredAt: number } | null
  now: number
  titles: Record<string, string>
  currency: string
  timezone: string
}

/** The member as a customer: how long they count as active and why, what can be expected of them, and what they said. */
export function MemberOutlook({ lifecycle, expected, answer, now, titles, currency, timezone }: MemberOutlookProps) {
  if (!lifecycle && !answer) return null
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          As a customer
        </Text>
        {lifecycle && <Stage {...{ lifecycle, now, titles, timezone }} />}
        {lifecycle && <Expected {...{ expected, currency, timezone }} />}
        {answer && (
          <BlockStack gap="100">
            <Fact label="Would recommend you" value={`${answer.score} of 10`} />
            {answer.comment !== null && (
              <p style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{`“${answer.comment}”`}</p>
            )}
            <Text as="p" variant="bodySm" tone="subdued">
              {`Answered ${showDay(answer.answeredAt, timezone)}`}
            </Text>
          </BlockStack>
        )}
      </BlockStack>
    </Card>
  )
}

type StageProps = Pick<MemberOutlookProps, 'now' | 'titles' | 'timezone'> & {
  lifecycle: NonNullable<MemberOutlookProps['lifecycle']>
}

function Stage({ lifecycle: { lastAt, own }, now, titles, timezone }: StageProps) {
  const [passiveFrom, lostFrom] = own
    ? [own.passiveFrom, own.lostFrom]
    : [addMonths(lastAt, 12, timezone), addMonths(lastAt, 24, timezone)]
  const stage = now >= lostFrom ? 'Lost' : now >= passiveFrom ? 'Passive' : 'Active'
  const day = (at: number) => showDay(at, timezone)
  const until = {
    Active: `until ${day(passiveFrom)}`,
    Passive: `since ${day(passiveFrom)}`,
    Lost: `since ${day(lostFrom)}`,
  }
  return (
    <BlockStack gap="100">
      <Fact label={stage} value={until[stage]} />
      <Text as="p" variant="bodySm" tone="subdued">
        {own?.because
          ? `Bought ${day(own.because.placedAt)}: ${sayCycle(own.because.cycle, titles)}, which lasts ${sayDays(own.because.cycle.days)}. `
          : `Last order ${day(lastAt)}; a purchase lasts 12 months. `}
        <Link url="/app/retention/cycles">Change how long</Link>
      </Text>
    </BlockStack>
  )
}

function Expected({ expected, currency, timezone }: Pick<MemberOutlookProps, 'expected' | 'currency' | 'timezone'>) {
  if (!expected) {
    return (
      <Text as="p" tone="subdued">
        Not enough data to say what to expect of them.
      </Text>
    )
  }
  const { active, orders, valueMinor, fittedAt } = expected
  return (
    <BlockStack gap="100">
      <Fact
        label="Chance of still being a customer"
        value={active === null ? 'Unknown' : showRate(active === 1 ? null : active)}
      />
      <Fact label="Orders expected in 12 months" value={orders.toFixed(1)} />
      <Fact
        label="Value expected in 12 months"
        value={valueMinor === null ? '—' : showMoney(formatMoney(valueMinor, currency), currency)}
      />
      <Text as="p" variant="bodySm" tone="subdued">
        {active === null ? 'Hardly any of your customers has left for good, so that chance cannot be told. ' : ''}
        {active === 1 ? 'After a first order nobody can tell yet whether they will come back. ' : ''}
        {`By BG/NBD and Gamma-Gamma, fitted ${showDay(fittedAt, timezone)}. `}
        <Link url="/app/retention/value">How far to trust it</Link>
      </Text>
    </BlockStack>
  )
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <InlineStack align="space-between" gap="200">
      <Text as="span">{label}</Text>
      <Text as="span" fontWeight="semibold">
        {value}
      </Text>
    </InlineStack>
  )
}
