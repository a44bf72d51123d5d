import { BlockStack, Box, Button, Card, FormLayout, InlineStack, Select, Text, TextField } from '@shopify/polaris'

import type { ProgramDocument, TiersDocument } from '#app/loyalty/program-document.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { DraftCheckbox, DraftMoney, DraftNumber, DraftSelect, DraftText } from '#app/ui/program-fields.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { freeId, proposeTiers } from '#app/ui/proposals.ts'
import { showCount } from '#app/ui/words.ts'

/** The form over the program's tiers: what counts, for how long, and each level with what it gives. */
export function TierForm({ counts }: { counts: Record<string, number> }) {
  const draft = useProgramDraft()
  const tiers = draft.read(['tiers']) as TiersDocument | undefined
  if (!tiers) {
    return (
      <NothingYet
        heading="No tiers yet"
        action={
          <Button onClick={() => draft.write(['tiers'], proposeTiers(draft.document as ProgramDocument))}>
            Start with three tiers
          </Button>
        }
      >
        Tiers reward your best customers: more points, a discount, free shipping. A program works without them too.
      </NothingYet>
    )
  }
  return (
    <BlockStack gap="400">
      <Counting tiers={tiers} />
      {tiers.levels.map((level, index) => (
        <LevelCard key={level.id} index={index} metric={tiers.metric} members={counts[level.id] ?? 0} />
      ))}
      <Box paddingInline={{ xs: '400', sm: '0' }}>
        <InlineStack align="space-between">
          <Button onClick={() => addLevel(draft, tiers)}>Add a tier</Button>
          <Button variant="plain" tone="critical" onClick={() => draft.write(['tiers'], undefined)}>
            Remove all tiers
          </Button>
        </InlineStack>
      </Box>
    </BlockStack>
  )
}

function Counting({ tiers }: { tiers: TiersDocument }) {
  const draft = useProgramDraft()
  const window = typeof tiers.window === 'string' ? tiers.window : 'rolling'
  const changeMetric = (metric: string) => draft.write(['tiers'], withMetric(tiers, metric as TiersDocument['metric']))
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          What counts
        </Text>
        <FormLayout>
          <FormLayout.Group>
            <Select
              label="Members rise by"
              options={[
                { label: 'money spent', value: 'spend' },
                { label: 'points earned', value: 'points' },
                { label: 'orders', value: 'orders' },
              ]}
              value={tiers.metric}
              onChange={changeMetric}
            />
            <Select
              label="counted over"
              options={[
                { label: 'the last days', value: 'rolling' },
                { label: 'a calendar year', value: 'calendar-year' },
                { label: 'all time', value: 'lifetime' },
              ]}
              value={window}
              onChange={(value) => draft.write(['tiers', 'window'], value === 'rolling' ? { rollingDays: 365 } : value)}
            />
            {window === 'rolling' && (
              <DraftNumber path={['tiers', 'window', 'rollingDays']} label="How many days" suffix="days" />
            )}
          </FormLayout.Group>
          <FormLayout.Group>
            <DraftNumber path={['tiers', 'graceDays']} label="Before a member goes down" suffix="days of grace" />
            <DraftSelect
              path={['tiers', 'entryRewards']}
              label="Rising by several tiers at once"
              options={[
                { label: 'welcome points of the highest', value: 'highest' },
                { label: 'welcome points of all', value: 'all' },
              ]}
            />
          </FormLayout.Group>
        </FormLayout>
      </BlockStack>
    </Card>
  )
}

type LevelCardProps = { index: number; metric: TiersDocument['metric']; members: number }

function LevelCard({ index, metric, members }: LevelCardProps) {
  const draft = useProgramDraft()
  const path = ['tiers', 'levels', index]
  const name = String(draft.read([...path, 'name']) ?? '')
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd">
            {name || 'New tier'}
          </Text>
          <InlineStack gap="300" blockAlign="center">
            <Text as="span" tone="subdued">
              {`${showCount(members)} ${members === 1 ? 'member' : 'members'}`}
            </Text>
            {index > 0 && (
              <Button
                variant="plain"
                tone="critical"
                accessibilityLabel={`Remove: ${name}`}
                onClick={() => draft.write(path, undefined)}
              >
                Remove
              </Button>
            )}
          </InlineStack>
        </InlineStack>
        <FormLayout>
          <FormLayout.Group>
            <DraftText path={[...path, 'name']} label="Name" maxLength={40} />
            {index === 0 ? (
              <TextField label="Reached with" value="joining" autoComplete="off" disabled />
            ) : metric === 'spend' ? (
              <DraftMoney path={[...path, 'threshold']} label="Reached with" />
            ) : (
              <DraftNumber path={[...path, 'threshold']} label="Reached with" suffix={metric} />
            )}
          </FormLayout.Group>
          <FormLayout.Group>
            <DraftNumber path={[...path, 'multiplier']} label="Points count" suffix="times" placeholder="1" />
            <DraftNumber
              path={[...path, 'entryReward']}
              label="Welcome points"
              helpText="Once per member, when it is reached"
            />
          </FormLayout.Group>
          <FormLayout.Group>
            <DraftNumber path={[...path, 'discountPercent']} label="Discount on every order" suffix="%" />
            <DraftPerks path={[...path, 'perks']} />
          </FormLayout.Group>
          <DraftCheckbox path={[...path, 'freeShipping']} label="Free shipping" />
        </FormLayout>
      </BlockStack>
    </Card>
  )
}

/** Perks that the store keeps itself, one a line: "First to try new roasts". */
function DraftPerks({ path }: { path: (string | number)[] }) {
  const draft = useProgramDraft()
  const perks = (draft.read(path) ?? []) as string[]
  return (
    <TextField
      label="Other perks, one a line"
      autoComplete="off"
      multiline={2}
      value={perks.join('\n')}
      onChange={(text) => draft.write(path, text === '' ? undefined : text.split('\n'))}
      error={draft.errorAt(path) ?? draft.errorAt([...path, perks.findIndex((perk) => perk.trim() === '')])}
    />
  )
}

/** Thresholds are money in one metric and counts in the others: another metric keeps the numbers and changes their form. */
function withMetric(tiers: TiersDocument, metric: TiersDocument['metric']): TiersDocument {
  const levels = tiers.levels.map((level) => ({
    ...level,
    threshold: metric === 'spend' ? String(level.threshold) : Math.trunc(Number(level.threshold)) || 0,
  }))
  return { ...tiers, metric, levels }
}

function addLevel(draft: ReturnType<typeof useProgramDraft>, tiers: TiersDocument) {
  const top = tiers.levels.at(-1)
  const above = Number(top?.threshold ?? 0) * 2 || 100
  const level = {
    id: freeId('tier', tiers.levels),
    name: '',
    threshold: tiers.metric === 'spend' ? String(Math.round(above)) : Math.round(above),
  }
  draft.write(['tiers', 'levels'], [...tiers.levels, level])
}
