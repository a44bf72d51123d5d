import { Link } from '@remix-run/react'
import { BlockStack, Button, Card, InlineStack, Text } from '@shopify/polaris'
import { ChevronLeftIcon, ChevronRightIcon } from '@shopify/polaris-icons'

import { daysInMonth, fromDayNumber, startOfDate, toDayNumber, weekdayAt } from '#app/loyalty/time.ts'
import type { CampaignRow } from '#app/ui/campaign-list.tsx'

type Month = { year: number; month: number }
type CampaignCalendarProps = {
  campaigns: CampaignRow[]
  month: Month
  today: Month & { day: number }
  timezone: string
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** One month of the shop's days, each with the campaigns that run on it. */
export function CampaignCalendar({ campaigns, month, today, timezone }: CampaignCalendarProps) {
  const days = listDays(month, timezone)
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center">
          <Text as="h2" variant="headingMd">
            {new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
              Date.UTC(month.year, month.month - 1, 1),
            )}
          </Text>
          <InlineStack gap="100">
            <Button url={monthUrl(month, -1)} icon={ChevronLeftIcon} accessibilityLabel="Month before" />
            <Button url={monthUrl(month, 1)} icon={ChevronRightIcon} accessibilityLabel="Month after" />
          </InlineStack>
        </InlineStack>
        <table style={{ width: '100%', borderCollapse: 'collapse', tableLayout: 'fixed' }}>
          <thead>
            <tr>
              {WEEKDAYS.map((day) => (
                <th key={day} scope="col" style={{ padding: '4px', textAlign: 'left', fontWeight: 500 }}>
                  {day}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {weeksOf(days).map((week, index) => (
              <tr key={index}>
                {week.map((day, weekday) => (
                  <td
                    key={weekday}
                    style={{ border: '1px solid #e3e3e3', verticalAlign: 'top', height: '4rem', padding: '4px' }}
                  >
                    {day && (
                      <DayCell
                        day={day}
                        isToday={day.day === today.day && month.month === today.month && month.year === today.year}
                        running={campaigns.filter(({ times }) =>
                          times.some((time) => time.fromAt < day.untilAt && time.untilAt > day.fromAt),
                        )}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </BlockStack>
    </Card>
  )
}

type Day = { day: number; fromAt: number; untilAt: number; weekday: number }

function DayCell({ day, isToday, running }: { day: Day; isToday: boolean; running: CampaignRow[] }) {
  return (
    <>
      <span style={isToday ? { fontWeight: 700, textDecoration: 'underline' } : undefined}>{day.day}</span>
      {running.map((campaign) => (
        <Link
          key={campaign.id}
          to={`/app/campaigns/${encodeURIComponent(campaign.id)}`}
          title={campaign.name}
          style={{
            display: 'block',
            overflow: 'hidden',
            textOverflow: 'ellipsis',
            whiteSpace: 'nowrap',
            background: '#e0f0ff',
            color: '#00527c',
            borderRadius: '4px',
            padding: '0 4px',
            marginTop: '2px',
            fontSize: '12px',
            textDecoration: 'none',
          }}
        >
          {campaign.name}
        </Link>
      ))}
    </>
  )
}

/** Every day of the month as the shop's clock has it: days are 23 or 25 hours long twice a year. */
function listDays({ year, month }: Month, timezone: string): Day[] {
  return Array.from({ length: daysInMonth(year, month) }, (_, index) => {
    const day = index + 1
    const fromAt = startOfDate({ year, month, day }, timezone)
    const next = fromDayNumber(toDayNumber(year, month, day) + 1)
    return { day, fromAt, untilAt: startOfDate(next, timezone), weekday: weekdayAt(fromAt, timezone) }
  })
}

/** Rows of seven, from Monday, with empty places before the first and after the last day. */
function weeksOf(days: Day[]): (Day | null)[][] {
  const cells: (Day | null)[] = [...Array<null>((days[0]?.weekday ?? 1) - 1).fill(null), ...days]
  while (cells.length % 7 !== 0) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7))
}

function monthUrl({ year, month }: Month, step: 1 | -1): string {
  const index = year * 12 + (month - 1) + step
  return `/app/campaigns?month=${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`
}
