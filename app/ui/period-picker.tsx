import { useSearchParams } from '@remix-run/react'
import { BlockStack, Button, InlineStack, Select, Text, TextField } from '@shopify/polaris'
import { useState } from 'react'

import { COMPARISONS, LONGEST_DAYS, nameDay, PERIOD_NAMES, type ChosenPeriod } from '#app/retention/periods.ts'
import { COMPARISON_WORDS, PERIOD_WORDS } from '#app/ui/period-words.ts'

type PeriodPickerProps = {
  chosen: ChosenPeriod
  today: number
  /** False where nothing on the page is compared. */
  compares?: boolean
}

/** Chooses the page's period, and what it is compared with; both stand in the address. */
export function PeriodPicker({ chosen, today, compares = true }: PeriodPickerProps) {
  const [params, setParams] = useSearchParams()
  const [name, setName] = useState(chosen.name)
  const go = (change: Record<string, string>) => {
    const next = new URLSearchParams(params)
    for (const [key, value] of Object.entries(change)) next.set(key, value)
    if (change.period && change.period !== 'custom') ['from', 'until'].forEach((key) => next.delete(key))
    setParams(next)
  }
  const choose = (value: string) => {
    const option = [...PERIOD_NAMES, 'custom' as const].find((one) => one === value)!
    setName(option)
    if (option !== 'custom') go({ period: option })
  }
  return (
    <div data-screen-only>
      <BlockStack gap="200">
        <InlineStack gap="400" blockAlign="center">
          <Select
            label="Period"
            labelInline
            options={[...PERIOD_NAMES, 'custom' as const].map((value) => ({ label: PERIOD_WORDS[value], value }))}
            value={name}
            onChange={choose}
          />
          {compares && (
            <Select
              label="Compared with"
              labelInline
              options={COMPARISONS.map((value) => ({ label: COMPARISON_WORDS[value], value }))}
              value={chosen.against}
              onChange={(against) => go({ against })}
            />
          )}
        </InlineStack>
        {name === 'custom' && (
          <Dates chosen={chosen} today={today} onChosen={(dates) => go({ period: name, ...dates })} />
        )}
      </BlockStack>
    </div>
  )
}

type DatesProps = {
  chosen: ChosenPeriod
  today: number
  onChosen: (dates: { from: string; until: string }) => void
}

function Dates({ chosen: { period }, today, onChosen }: DatesProps) {
  const [from, setFrom] = useState(nameDay(period.from))
  const [until, setUntil] = useState(nameDay(Math.min(today, period.until - 1)))
  const max = nameDay(today)
  return (
    <BlockStack gap="100">
      <InlineStack gap="200" blockAlign="end">
        <TextField label="From" type="date" value={from} max={max} onChange={setFrom} autoComplete="off" />
        <TextField label="To" type="date" value={until} max={max} onChange={setUntil} autoComplete="off" />
        <Button onClick={() => onChosen({ from, until })} disabled={from === '' || until === ''}>
          Show
        </Button>
      </InlineStack>
      <Text as="p" variant="bodySm" tone="subdued">
        {`Both days included. More than ${LONGEST_DAYS} days are widened to whole months, and are as exact.`}
      </Text>
    </BlockStack>
  )
}
