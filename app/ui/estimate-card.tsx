import { BlockStack, Card, Divider, List, Select, Text, TextField } from '@shopify/polaris'
import { useState } from 'react'

import { formatDecimal, currencyExponent } from '#app/loyalty/money.ts'
import { estimateOrder } from '#app/ui/estimate.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { sayReason } from '#app/ui/reasons.ts'
import { showMoney, showPoints } from '#app/ui/words.ts'

/** An order to try the draft with: what it would earn and why. `now` is the app's instant, which the dev store may have moved. */
export function EstimateCard({ now }: { now: number }) {
  const { parsed } = useProgramDraft()
  const [amount, setAmount] = useState<string>()
  const [tier, setTier] = useState('')
  const program = parsed.ok ? parsed.program : null
  const shown = amount ?? (program ? everydayAmount(program.currency) : '')
  const levels = program?.tiers?.levels ?? []
  const level = levels.find((one) => one.id === tier)?.id ?? levels[0]?.id ?? null
  const worth = program && estimateOrder(program, { amount: shown, tier: level, at: now })
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Try it
        </Text>
        <TextField
          label="An order of"
          autoComplete="off"
          inputMode="decimal"
          suffix={program?.currency}
          value={shown}
          onChange={setAmount}
        />
        {levels.length > 1 && (
          <Select
            label="by a member in"
            options={levels.map(({ id, name }) => ({ label: name, value: id }))}
            value={level ?? ''}
            onChange={setTier}
          />
        )}
        <Divider />
        <div aria-live="polite">
          {program && worth ? (
            <BlockStack gap="200">
              <Text as="p" variant="headingLg">
                {`earns ${showPoints(worth.points, program.document.pointsName)}`}
              </Text>
              <List>
                {worth.reasons.map((reason) => {
                  const text = sayReason(reason, program.document)
                  return <List.Item key={text}>{text}</List.Item>
                })}
              </List>
              <Text as="p" variant="bodySm" tone="subdued">
                {program.holdDays === 0
                  ? 'They can be spent at once.'
                  : `They can be spent ${program.holdDays} days after payment.`}
              </Text>
            </BlockStack>
          ) : (
            <Text as="p" tone="subdued">
              {program
                ? `Enter an amount like ${showMoney(everydayAmount(program.currency), program.currency)}.`
                : 'Complete the form to see what an order earns.'}
            </Text>
          )}
        </div>
      </BlockStack>
    </Card>
  )
}

/** Fifty of a currency with cents, five thousand of one without. */
function everydayAmount(currency: string): string {
  const exponent = currencyExponent(currency)
  return exponent === 0 ? '5000' : formatDecimal(50 * 10 ** exponent, exponent)
}
