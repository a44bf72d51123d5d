import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData, useSearchParams } from '@remix-run/react'
import { InlineGrid, InlineStack, Select } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { readLiability, type Liability } from '#app/db/liability.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMeasures } from '#app/db/retention.server.ts'
import { formatMoney, parseMoney } from '#app/loyalty/money.ts'
import type { ProgramDocument } from '#app/loyalty/program.ts'
import { monthNumberAt } from '#app/loyalty/time.ts'
import { startOfMonthNumber } from '#app/retention/calendar.ts'
import { expectedRedemptionCost, type LiabilityAge, type PointsMovement } from '#app/retention/liability.ts'
import { parseMonth } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { Figure } from '#app/ui/figure.tsx'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { codeMonth, showMonth } from '#app/ui/months.ts'
import { Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { showCount, showMoney, showPoints, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Points liability · Perennial' }]

const MONTHS_OFFERED = 24

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const at = now()
  const asked = await askMeasures(shop, at)
  const thisMonth = monthNumberAt(at, asked.timeZone)
  const wanted = parseMonth(new URL(request.url).searchParams.get('month') ?? '') ?? thisMonth
  const month = Math.min(thisMonth, wanted)
  const [liability, published] = await Promise.all([
    readLiability(asked, startOfMonthNumber(month, asked.timeZone), startOfMonthNumber(month + 1, asked.timeZone)),
    findPublishedProgram(shop.id),
  ])
  const perHundred = published && hundredPointsMinor(published.document, shop.currency)
  return {
    ...{ liability, month, thisMonth, currency: shop.currency, perHundred },
    costMinor:
      perHundred === null ? null : expectedRedemptionCost(liability.outstanding, liability.breakage, perHundred),
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
  }
}

/** What 100 points buy at most in money off, minor units rounded down; null where no reward is money off. */
function hundredPointsMinor(document: ProgramDocument, currency: string): number | null {
  const worths = document.rewards.flatMap((reward) => {
    if (reward.type !== 'amount' || typeof reward.value !== 'string') return []
    const points = reward.perPoints ?? reward.cost
    const valueMinor = parseMoney(reward.value, currency)
    return points && valueMinor !== null ? [Math.floor((valueMinor * 100) / points)] : []
  })
  return worths.length === 0 ? null : Math.max(...worths)
}

export default function Points() {
  const { liability, month, thisMonth, currency, perHundred, costMinor, pointsName } = useLoaderData<typeof loader>()
  const [params, setParams] = useSearchParams()
  const { movement, outstanding, breakage } = liability
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const setMonth = (value: string) => {
    const next = new URLSearchParams(params)
    next.set('month', value)
    setParams(next)
  }
  return (
    <RetentionPage title="Points liability" subtitle="What members hold, how it moved, and what it will cost">
      <InlineGrid columns={{ xs: 1, sm: 3 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Outstanding"
          value={showPoints(outstanding, pointsName)}
          note="To spend, waiting, and set aside for rewards"
          to="/app/members"
        />
        <Figure
          label="Breakage"
          value={showRate(breakage)}
          note={
            breakage === null
              ? 'Not enough data yet: nobody has spent points so far'
              : 'Of all points used up so far, the share that ran out unspent'
          }
        />
        <Figure
          label="Expected cost"
          value={money(costMinor)}
          note={
            perHundred === null
              ? 'No reward with money off to reckon with'
              : `What is not expected to run out, at ${money(perHundred)} for 100 points`
          }
        />
      </InlineGrid>
      <Inset>
        <InlineStack>
          <Select
            label="Month"
            labelInline
            options={Array.from({ length: MONTHS_OFFERED }, (_, back) => thisMonth - back).map((one) => ({
              label: showMonth(one),
              value: codeMonth(one),
            }))}
            value={codeMonth(month)}
            onChange={setMonth}
          />
        </InlineStack>
      </Inset>
      <MovementTable movement={movement} month={month} isOpen={month === thisMonth} />
      <AgeTable liability={liability} />
    </RetentionPage>
  )
}

function MovementTable({ movement, month, isOpen }: { movement: PointsMovement; month: number; isOpen: boolean }) {
  const lines: [string, number, string][] = [
    ['Opening', movement.opening, 'Held by members at the month’s first instant'],
    ['Earned', movement.earned, 'From orders, events and rewards'],
    ['Spent', 0 - movement.spent, 'On rewards, less what came back'],
    ['Expired', 0 - movement.expired, 'Ran out unspent'],
    ['Taken back', 0 - movement.takenBack, 'After refunds and cancellations'],
    ['Forfeited', 0 - movement.forfeited, 'Of members who were erased'],
    ['Changed by hand', movement.adjusted, 'Given less taken'],
    ['Closing', movement.closing, isOpen ? 'Held by members now' : 'Held by members at the month’s end'],
  ]
  return (
    <MeasureTable
      heading={`From opening to closing, ${showMonth(month)}`}
      explanation="Sums of the ledger’s own transfers: the lines add up to the closing, to the point."
      head={['Line', 'Points', 'What it is']}
      words={[2]}
      rows={lines.map(([name, points, what]) => ({ key: name, cells: [name, showCount(points), what] }))}
      csv={{
        name: `points-${codeMonth(month)}.csv`,
        rows: [['line', 'points'], ...lines.map(([name, points]) => [name, points])],
      }}
    />
  )
}

function AgeTable({ liability: { ages, reserved, deficit, outstanding } }: { liability: Liability }) {
  const lines: [string, number][] = [
    ...ages.map((age): [string, number] => [nameAge(age), age.points]),
    ['Set aside for rewards under way', reserved],
    ['Below zero: taken back after they were spent', 0 - deficit],
    ['All', outstanding],
  ]
  return (
    <MeasureTable
      heading="Outstanding by age"
      explanation="By when the points were earned, in months before today."
      head={['Age', 'Points']}
      rows={lines.map(([name, points]) => ({ key: name, cells: [name, showCount(points)] }))}
      csv={{ name: 'points-by-age.csv', rows: [['age', 'points'], ...lines] }}
    />
  )
}

function nameAge({ fromMonths, untilMonths }: LiabilityAge): string {
  if (untilMonths === null) return `${fromMonths} months and older`
  return fromMonths === 0 ? `Under ${untilMonths} months` : `${fromMonths} to ${untilMonths} months`
}
