import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineGrid } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import { readLiability, type Liability } from '#app/db/liability.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMeasures } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { hundredPointsMinor } from '#app/loyalty/points-worth.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import { expectedRedemptionCost, MOVEMENTS, type Movement } from '#app/retention/liability.ts'
import { choosePeriod, LONGEST_DAYS, nameDay, type Period } from '#app/retention/periods.ts'
import { nameGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { Figure } from '#app/ui/figure.tsx'
import { nameAge } from '#app/ui/group-words.ts'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { PeriodPicker } from '#app/ui/period-picker.tsx'
import { showPeriod } from '#app/ui/period-words.ts'
import { customersPath, CustomersLink, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { sayCustomers, showCount, showMoney, showPoints, showRate } from '#app/ui/words.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

export const meta: MetaFunction = () => [{ title: 'Points liability · Perennial' }]

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  const asked = await askMeasures(shop, now())
  const today = dayNumberAt(asked.asOf, asked.timeZone)
  const chosen = choosePeriod(new URL(request.url).searchParams, today, 'this-month')
  const [liability, published] = await Promise.all([readLiability(asked, chosen.period), findPublishedProgram(shop.id)])
  const perHundred = published && hundredPointsMinor(published.document, shop.currency)
  return {
    ...{ liability, chosen, today, currency: shop.currency, timezone: asked.timeZone, perHundred },
    costMinor:
      perHundred === null ? null : expectedRedemptionCost(liability.outstanding, liability.breakage, perHundred),
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
  }
}

export default function Points() {
  const { liability, chosen, today, currency, timezone, perHundred, costMinor, pointsName } =
    useLoaderData<typeof loader>()
  const { outstanding, breakage, members } = liability
  const money = (minor: number | null) => (minor === null ? '—' : showMoney(formatMoney(minor, currency), currency))
  const held = { to: customersPath('points:held'), customers: members.held }
  const ever = nameGroup({ kind: 'moved', movement: 'expired', from: 0, until: today + 1 })
  return (
    <RetentionPage title="Points liability" subtitle="What members hold, how it moved, and what it will cost">
      <InlineGrid columns={{ xs: 1, sm: 3 }} gap={{ xs: '200', md: '400' }}>
        <Figure
          label="Outstanding"
          value={showPoints(outstanding, pointsName)}
          note={`Held by ${sayCustomers(members.held)}: to spend, waiting, and set aside for rewards`}
          {...held}
        />
        <Figure
          label="Breakage"
          value={showRate(breakage)}
          note={
            breakage === null
              ? 'Not enough data yet: nobody has spent points so far'
              : 'Points that ran out unspent ÷ all points spent or run out so far'
          }
          {...(breakage !== null && { to: customersPath(ever) })}
        />
        <Figure
          label="Expected cost"
          value={money(costMinor)}
          note={
            perHundred === null
              ? 'No reward with money off to reckon with'
              : `What is not expected to run out, at ${money(perHundred)} for 100 points`
          }
          {...(costMinor !== null && held)}
        />
      </InlineGrid>
      <Inset>
        <PeriodPicker chosen={chosen} today={today} compares={false} />
      </Inset>
      <MovementTable {...{ liability, timezone }} period={chosen.period} isOpen={chosen.period.until > today} />
      <AgeTable liability={liability} />
    </RetentionPage>
  )
}

const MOVEMENT_WORDS: Record<Movement, { name: string; what: string; sign: 1 | -1 }> = {
  earned: { name: 'Earned', what: 'From orders, events and rewards', sign: 1 },
  spent: { name: 'Spent', what: 'On rewards, less what came back', sign: -1 },
  expired: { name: 'Expired', what: 'Ran out unspent', sign: -1 },
  takenBack: { name: 'Taken back', what: 'After refunds and cancellations', sign: -1 },
  forfeited: { name: 'Forfeited', what: 'Of members who were erased', sign: -1 },
  adjusted: { name: 'Changed by hand', what: 'Given less taken', sign: 1 },
}

type MovementTableProps = { liability: Liability; period: Period; isOpen: boolean; timezone: string }

function MovementTable({ liability: { movement, movers }, period, isOpen, timezone }: MovementTableProps) {
  const lines = MOVEMENTS.map((kind) => {
    const { name, what, sign } = MOVEMENT_WORDS[kind]
    // Never −0.
    return { kind, name, what, points: sign === 1 ? movement[kind] : 0 - movement[kind] }
  })
  const ends = {
    opening: { name: 'Opening', points: movement.opening, what: 'Held by members at the first instant' },
    closing: {
      ...{ name: 'Closing', points: movement.closing },
      what: isOpen ? 'Held by members now' : 'Held by members at the end',
    },
  }
  const end = ({ name, points, what }: { name: string; points: number; what: string }) => ({
    key: name,
    cells: [name, <Sum key="points">{showCount(points)}</Sum>, '', what],
  })
  return (
    <MeasureTable
      heading={`From opening to closing, ${showPeriod(period)}${isOpen ? ' so far' : ''}`}
      explanation={`Sums of the ledger’s own transfers: the lines add up to the closing, to the point. Days are those of ${timezone}. A line opens the members whose points moved; they are counted for periods of up to ${LONGEST_DAYS} days.`}
      head={['Line', 'Points', 'Members', 'What it is']}
      words={[3]}
      rows={[
        end(ends.opening),
        ...lines.map(({ kind, name, what, points }) => {
          const behind = {
            of: nameGroup({ kind: 'moved', movement: kind, from: period.from, until: period.until }),
            ...(movers && { customers: movers[kind] }),
          }
          return {
            key: kind,
            cells: [
              name,
              <CustomersLink key="points" {...behind} label={`${name}: ${showCount(points)} points`}>
                {showCount(points)}
              </CustomersLink>,
              movers && (
                <CustomersLink key="members" {...behind} label={`${name}: ${showCount(movers[kind])} members`}>
                  {showCount(movers[kind])}
                </CustomersLink>
              ),
              what,
            ],
          }
        }),
        end(ends.closing),
      ]}
      csv={{
        name: `points-${nameDay(period.from)}-${nameDay(period.until - 1)}.csv`,
        rows: [
          ['line', 'points', 'members'],
          ['Opening', movement.opening, null],
          ...lines.map(({ kind, name, points }) => [name, points, movers?.[kind] ?? null]),
          ['Closing', movement.closing, null],
        ],
      }}
    />
  )
}

/** A sum of the books: of all members there were, not of a list that could be given. */
function Sum({ children }: { children: string }) {
  return <span data-sum>{children}</span>
}

function AgeTable({ liability: { ages, members, reserved, deficit, outstanding } }: { liability: Liability }) {
  const lines: { name: string; points: number; of: CustomerGroup; customers: number }[] = [
    ...ages.map((age, place) => ({
      ...{ name: upperFirst(nameAge(age.fromMonths)), points: age.points, customers: members.ages[place]! },
      of: { kind: 'points-age' as const, months: age.fromMonths },
    })),
    {
      ...{ name: 'Set aside for rewards under way', points: reserved, customers: members.reserved },
      of: { kind: 'points', group: 'reserved' },
    },
    {
      ...{ name: 'Below zero: taken back after they were spent', points: 0 - deficit, customers: members.deficit },
      of: { kind: 'points', group: 'deficit' },
    },
    { name: 'All', points: outstanding, of: { kind: 'points', group: 'held' }, customers: members.held },
  ]
  return (
    <MeasureTable
      heading="Outstanding by age"
      explanation="By when the points were earned, in months before today. A member can have points of several ages."
      head={['Age', 'Points', 'Members']}
      rows={lines.map(({ name, points, of, customers }) => ({
        key: name,
        cells: [
          name,
          ...[
            [showCount(points), 'points'],
            [showCount(customers), 'members'],
          ].map(([shown, what]) => (
            <CustomersLink key={what} of={nameGroup(of)} customers={customers} label={`${name}: ${shown} ${what}`}>
              {shown}
            </CustomersLink>
          )),
        ],
      }))}
      csv={{
        name: 'points-by-age.csv',
        rows: [['age', 'points', 'members'], ...lines.map(({ name, points, customers }) => [name, points, customers])],
      }}
    />
  )
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
