import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { InlineGrid } from '@shopify/polaris'

import { now } from '#app/clock.server.ts'
import {
  countLiabilityMembers,
  readLiability,
  type Liability,
  type LiabilityMembers,
} from '#app/db/liability.server.ts'
import { findPublishedProgram } from '#app/db/program-history.server.ts'
import { askMeasures } from '#app/db/retention.server.ts'
import { formatMoney } from '#app/loyalty/money.ts'
import { hundredPointsMinor } from '#app/loyalty/points-worth.ts'
import { dayNumberAt } from '#app/loyalty/time.ts'
import { expectedRedemptionCost, MOVEMENTS, type Movement } from '#app/retention/liability.ts'
import { choosePeriod, nameDay, type Period } from '#app/retention/periods.ts'
import { nameGroup, type CustomerGroup } from '#app/retention/segments.ts'
import { requireMerchant } from '#app/shopify.server.ts'
import { Figure } from '#app/ui/figure.tsx'
import { nameAge } from '#app/ui/group-words.ts'
import { MeasureTable } from '#app/ui/measure-table.tsx'
import { PeriodPicker } from '#app/ui/period-picker.tsx'
import { showPeriod } from '#app/ui/period-words.ts'
import { customersPath, CustomersLink, Inset, RetentionPage } from '#app/ui/retention-page.tsx'
import { useResolved } from '#app/ui/use-resolved.ts'
import { sayCustomers, showCount, showMoney, showPoints, showRate, upperFirst } from '#app/ui/words.ts'

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
    costMinor: perHundred === null ? null : expectedRedemptionCost(liability.owed, liability.breakage, perHundred),
    pointsName: published?.document.pointsName ?? { one: 'point', other: 'points' },
    // Of a long period this takes longer than everything else, and the numbers are there without it.
    counted: countLiabilityMembers(asked, chosen.period),
  }
}

const NOT_COUNTED: LiabilityMembers | null = null

export default function Points() {
  const { liability, chosen, today, currency, timezone, perHundred, costMinor, pointsName, ...loaded } =
    useLoaderData<typeof loader>()
  const counted = useResolved<LiabilityMembers | null>(loaded.counted, NOT_COUNTED)
  const { outstanding, breakage, members, deficit } = liability
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
              : `Points that ran out unspent${counted ? `, of ${sayCustomers(counted.everExpired)},` : ''} ÷ all points spent or run out so far`
          }
          {...(breakage !== null && { to: customersPath(ever), ...(counted && { customers: counted.everExpired }) })}
        />
        <Figure
          label="Expected cost"
          value={money(costMinor)}
          note={
            perHundred === null
              ? 'No reward with money off to reckon with'
              : `What is not expected to run out, at ${money(perHundred)} for 100 points${deficit > 0 ? '; what members below zero owe is not set off against it' : ''}`
          }
          {...(costMinor !== null && held)}
        />
      </InlineGrid>
      <Inset>
        <PeriodPicker chosen={chosen} today={today} compares={false} />
      </Inset>
      <MovementTable
        {...{ liability, counted, timezone }}
        period={chosen.period}
        isOpen={chosen.period.until > today}
      />
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

type MovementTableProps = {
  liability: Liability
  /** Null while it is being counted. */
  counted: LiabilityMembers | null
  period: Period
  isOpen: boolean
  timezone: string
}

function MovementTable({ liability, counted, period, isOpen, timezone }: MovementTableProps) {
  const lines = listLines(liability, counted, period, isOpen)
  return (
    <MeasureTable
      heading={`From opening to closing, ${showPeriod(period)}${isOpen ? ' so far' : ''}`}
      explanation={`Sums of the ledger’s own transfers: the lines add up to the closing, to the point. Days are those of ${timezone}. A line opens the members whose points these are, or whose points moved.`}
      head={['Line', 'Points', 'Members', 'What it is']}
      words={[3]}
      rows={lines.map(({ name, what, points, members, of }) => {
        const behind = { of: nameGroup(of), ...(members !== null && { customers: members }) }
        return {
          key: name,
          cells: [
            name,
            <CustomersLink key="points" {...behind} label={`${name}: ${showCount(points)} points`}>
              {showCount(points)}
            </CustomersLink>,
            members === null ? (
              <span key="members" aria-label="Being counted">
                …
              </span>
            ) : (
              <CustomersLink key="members" {...behind} label={`${name}: ${showCount(members)} members`}>
                {showCount(members)}
              </CustomersLink>
            ),
            what,
          ],
        }
      })}
      csv={{
        name: `points-${nameDay(period.from)}-${nameDay(period.until - 1)}.csv`,
        rows: [['line', 'points', 'members'], ...lines.map(({ name, points, members }) => [name, points, members])],
      }}
    />
  )
}

/** A line of the statement; `members` are null while they are being counted. */
type Line = { name: string; what: string; points: number; members: number | null; of: CustomerGroup }

function listLines(
  { movement, members }: Liability,
  counted: LiabilityMembers | null,
  { from, until }: Period,
  isOpen: boolean,
): Line[] {
  const moved = MOVEMENTS.map((kind): Line => {
    const { sign, ...words } = MOVEMENT_WORDS[kind]
    // Never −0.
    const points = sign === 1 ? movement[kind] : 0 - movement[kind]
    const of: CustomerGroup = { kind: 'moved', movement: kind, from, until }
    return { ...words, points, members: counted && counted.movers[kind], of }
  })
  const then = (day: number): CustomerGroup => ({ kind: 'points-then', day })
  return [
    {
      ...{ name: 'Opening', what: 'Held by members at the first instant', points: movement.opening },
      ...{ members: counted && counted.opening, of: then(from) },
    },
    ...moved,
    isOpen
      ? {
          ...{ name: 'Closing', what: 'Held by members now', points: movement.closing },
          ...{ members: members.held, of: { kind: 'points', group: 'held' } },
        }
      : {
          ...{ name: 'Closing', what: 'Held by members at the end', points: movement.closing },
          ...{ members: counted && counted.closing, of: then(until) },
        },
  ]
}

function AgeTable({ liability: { ages, members, reserved, deficit, outstanding } }: { liability: Liability }) {
  const lines: { name: string; points: number; of: CustomerGroup; customers: number }[] = [
    ...ages.map((age, place) => ({
      ...{ name: upperFirst(nameAge(age.fromMonths)), points: age.points, customers: members.ages[place]! },
      of: { kind: 'points-age' as const, months: age.fromMonths },
    })),
    {
      ...{ name: 'Set aside', points: reserved, customers: members.reserved },
      of: { kind: 'points', group: 'reserved' },
    },
    {
      ...{ name: 'Below zero', points: 0 - deficit, customers: members.deficit },
      of: { kind: 'points', group: 'deficit' },
    },
    { name: 'All', points: outstanding, of: { kind: 'points', group: 'held' }, customers: members.held },
  ]
  return (
    <MeasureTable
      heading="Outstanding by age"
      explanation="By when the points were earned, in months before today; set aside are those of rewards under way, below zero those taken back after they were spent. A member can have points of several ages."
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
