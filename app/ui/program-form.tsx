import { BlockStack, Button, Card, Collapsible, FormLayout, InlineStack, Select, Text } from '@shopify/polaris'
import { useId, useState, type ReactNode } from 'react'

import type { EarningDocument, ProgramDocument } from '#app/loyalty/program-document.ts'
import { DraftCheckbox, DraftChoice, DraftMoney, DraftNumber, DraftSelect, DraftText } from '#app/ui/program-fields.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { proposePer } from '#app/ui/proposals.ts'
import { sayEarning, sayOccasion } from '#app/ui/reasons.ts'

/** The form over the program's general part: earning, waiting, lasting, counting. Tiers, rewards and campaigns have pages of their own. */
export function ProgramForm() {
  return (
    <BlockStack gap="400">
      <Names />
      <Earning />
      <Activities />
      <Time />
      <Details />
    </BlockStack>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          {title}
        </Text>
        {children}
      </BlockStack>
    </Card>
  )
}

function Names() {
  return (
    <Section title="Names that shoppers see">
      <FormLayout>
        <DraftText path={['name']} label="Name of the program" maxLength={60} />
        <FormLayout.Group>
          <DraftText path={['pointsName', 'one']} label="One point is called" maxLength={20} />
          <DraftText path={['pointsName', 'other']} label="Several are called" maxLength={20} />
        </FormLayout.Group>
      </FormLayout>
    </Section>
  )
}

/** The rule by which orders earn. Others for orders (campaign-like, by product, from an import) are listed and kept. */
function Earning() {
  const draft = useProgramDraft()
  const rules = (draft.read(['earning']) ?? []) as EarningDocument[]
  const index = rules.findIndex((rule) => rule.on === 'order' && rule.multiplier === undefined)
  const others = rules
    .map((rule, place) => ({ rule, place }))
    .filter(({ rule, place }) => rule.on === 'order' && place !== index)
  const pointsName = String(draft.read(['pointsName', 'other']) ?? 'points')
  if (index < 0) {
    return (
      <Section title="Earning with orders">
        <Text as="p" tone="subdued">
          Orders earn nothing at the moment.
        </Text>
        <InlineStack>
          <Button
            onClick={() =>
              draft.write(['earning'], [...rules, { id: 'purchase', on: 'order', points: 1, per: 'order' }])
            }
          >
            Let orders earn
          </Button>
        </InlineStack>
      </Section>
    )
  }
  const per = draft.read(['earning', index, 'per'])
  const perMoney = per !== 'order' && per !== 'item'
  return (
    <Section title="Earning with orders">
      <FormLayout>
        <FormLayout.Group>
          <DraftNumber path={['earning', index, 'points']} label={`Members get (${pointsName})`} />
          <PerSelect index={index} perMoney={perMoney} />
        </FormLayout.Group>
        {perMoney && (
          <DraftMoney
            path={['earning', index, 'per']}
            label="for each"
            helpText="Of the money paid for goods, after discounts"
          />
        )}
        {others.length > 0 && (
          <BlockStack gap="100">
            <Text as="p" tone="subdued">
              Also in the program:
            </Text>
            {others.map(({ rule, place }) => (
              <InlineStack key={rule.id} align="space-between" gap="200" blockAlign="center">
                <Text as="span">{`${rule.id}: ${tellRule(rule, draft.parsed)}`}</Text>
                <Button
                  variant="plain"
                  tone="critical"
                  onClick={() => draft.write(['earning', place], undefined)}
                  accessibilityLabel={`Remove: rule ${rule.id}`}
                >
                  Remove
                </Button>
              </InlineStack>
            ))}
          </BlockStack>
        )}
      </FormLayout>
    </Section>
  )
}

function tellRule(rule: EarningDocument, parsed: ReturnType<typeof useProgramDraft>['parsed']): string {
  return parsed.ok ? sayEarning(rule, parsed.document) : rule.id
}

/** "per money" is in the document as the amount itself, so the menu writes an amount back when it is chosen. */
function PerSelect({ index, perMoney }: { index: number; perMoney: boolean }) {
  const draft = useProgramDraft()
  const path = ['earning', index, 'per']
  const [amount] = useState(() =>
    String((perMoney ? draft.read(path) : undefined) ?? proposePer(draft.document as ProgramDocument)),
  )
  return (
    // What is wrong with the amount stands beside it, in the field after this one.
    <Select
      label="for"
      options={[
        { label: 'money spent', value: perMoney ? String(draft.read(path) ?? '') : amount },
        { label: 'each order', value: 'order' },
        { label: 'each item', value: 'item' },
      ]}
      value={String(draft.read(path) ?? '')}
      onChange={(value) => draft.write(path, value)}
    />
  )
}

const BY_WORKFLOW = 'Recorded by a Shopify Flow workflow: use the action “Record an activity”'

/** `how`: by what it comes about, for whoever switches it on. The rest is the rule as it begins. */
const ACTIVITIES = [
  { on: 'signup', points: 100, limit: { times: 1, every: 'ever' }, how: null },
  {
    on: 'birthday',
    points: 100,
    limit: { times: 1, every: 'year' },
    how: 'Members give the day on the loyalty card',
  },
  { on: 'review', points: 50, limit: { times: 1, every: 'order' }, how: BY_WORKFLOW },
  { on: 'profile', points: 50, limit: { times: 1, every: 'ever' }, how: BY_WORKFLOW },
  { on: 'referral', points: 200, how: BY_WORKFLOW },
  {
    on: 'custom:feedback',
    points: 20,
    limit: { times: 1, every: 'year' },
    how: 'Asked by the block “Would you recommend us?” of your theme',
  },
] as const

/** Points for what is no order: each on or off, with its number. */
function Activities() {
  const draft = useProgramDraft()
  const rules = (draft.read(['earning']) ?? []) as EarningDocument[]
  return (
    <Section title="Earning with other activities">
      <BlockStack gap="300">
        {ACTIVITIES.map(({ how, ...activity }) => {
          const index = rules.findIndex((rule) => rule.on === activity.on)
          return (
            <InlineStack key={activity.on} align="space-between" blockAlign="center" gap="200" wrap={false}>
              <BlockStack>
                <Text as="span">{sayOccasion(activity.on)}</Text>
                <Text as="span" variant="bodySm" tone="subdued">
                  {how ??
                    (draft.read(['enrolment']) === 'opt-in'
                      ? 'When a customer joins'
                      : 'When a customer gets an account')}
                </Text>
              </BlockStack>
              <div style={{ flex: 'none' }}>
                {index < 0 ? (
                  <Button
                    onClick={() =>
                      draft.write(
                        ['earning'],
                        [...rules, { id: freeId(activity.on.replace('custom:', ''), rules), ...activity }],
                      )
                    }
                    accessibilityLabel={`Switch on: ${sayOccasion(activity.on)}`}
                  >
                    Switch on
                  </Button>
                ) : (
                  <InlineStack gap="200" blockAlign="center" wrap={false}>
                    <div style={{ width: '7rem' }}>
                      <DraftNumber
                        path={['earning', index, 'points']}
                        label={`Points for ${sayOccasion(activity.on)}`}
                        labelHidden
                      />
                    </div>
                    <Button
                      onClick={() => draft.write(['earning', index], undefined)}
                      accessibilityLabel={`Switch off: ${sayOccasion(activity.on)}`}
                    >
                      Switch off
                    </Button>
                  </InlineStack>
                )}
              </div>
            </InlineStack>
          )
        })}
      </BlockStack>
    </Section>
  )
}

function freeId(wanted: string, rules: EarningDocument[]): string {
  const taken = new Set(rules.map((rule) => rule.id))
  for (let count = 1; ; count++) {
    const id = count === 1 ? wanted : `${wanted}-${count}`
    if (!taken.has(id)) return id
  }
}

function Time() {
  const draft = useProgramDraft()
  const model = draft.read(['expiry', 'model'])
  return (
    <Section title="Waiting and expiring">
      <FormLayout>
        <DraftNumber
          path={['hold', 'days']}
          label="Points of an order wait"
          suffix="days after payment"
          helpText="0 to 90. While they wait they are shown but cannot be spent, so a return costs nothing."
        />
        <ExpiryChoice />
        {model !== 'none' && <DraftNumber path={['expiry', 'months']} label="after" suffix="months" />}
      </FormLayout>
    </Section>
  )
}

/** Changing the model brings or takes its months with it: "never" has none, the others need some. */
function ExpiryChoice() {
  const draft = useProgramDraft()
  const months = draft.read(['expiry', 'months']) ?? 12
  const choose = (model: string) => draft.write(['expiry'], model === 'none' ? { model } : { model, months })
  return (
    <DraftChoice
      path={['expiry', 'model']}
      label="Points expire"
      onChoose={choose}
      options={[
        { label: 'Each on its own', value: 'lot', helpText: 'Counted from the day they were earned' },
        {
          label: 'All together, when a member stops buying',
          value: 'inactivity',
          helpText: 'Every new order starts the time again',
        },
        { label: 'Never', value: 'none' },
      ]}
    />
  )
}

function Details() {
  const [open, setOpen] = useState(false)
  const panel = useId()
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="center">
          <Text as="h2" variant="headingMd">
            What counts, and details
          </Text>
          <Button
            variant="plain"
            disclosure={open ? 'up' : 'down'}
            ariaExpanded={open}
            ariaControls={panel}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Hide' : 'Show'}
          </Button>
        </InlineStack>
        <Collapsible id={panel} open={open}>
          <FormLayout>
            <DraftSelect
              path={['enrolment']}
              label="Who takes part"
              options={[
                { label: 'Every customer', value: 'everyone' },
                { label: 'Customers with an account', value: 'accounts' },
                { label: 'Customers who ask to join', value: 'opt-in' },
              ]}
            />
            <DraftCheckbox path={['basis', 'tax']} label="Tax counts as money spent" />
            <DraftCheckbox path={['basis', 'shipping']} label="Shipping counts as money spent" />
            <DraftCheckbox path={['basis', 'saleItems']} label="Items on sale earn too" />
            <DraftSelect
              path={['rounding']}
              label="Parts of a point, once per order, are"
              options={[
                { label: 'rounded down', value: 'floor' },
                { label: 'rounded to the nearest', value: 'half-up' },
                { label: 'rounded up', value: 'ceil' },
              ]}
            />
            <DraftSelect
              path={['stacking']}
              label="When several multipliers fit (tier, campaign)"
              options={[
                { label: 'all of them multiply', value: 'multiply' },
                { label: 'only the highest counts', value: 'highest' },
              ]}
            />
            <DraftSelect
              path={['negativeBalance']}
              label="When an order is refunded after its points were spent"
              options={[
                { label: 'the balance goes below zero', value: 'allow' },
                { label: 'the missing points are written off', value: 'clamp' },
              ]}
            />
          </FormLayout>
        </Collapsible>
      </BlockStack>
    </Card>
  )
}
