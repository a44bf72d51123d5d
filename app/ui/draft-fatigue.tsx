import { BlockStack, Card } from '@shopify/polaris'

import { withStops, type CampaignStops } from '#app/loyalty/campaigns.ts'
import { findFatiguePeak, judgeFatigue } from '#app/loyalty/fatigue.ts'
import { FatigueCard } from '#app/ui/fatigue-card.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { OverrideReason } from '#app/ui/publish-refusal.tsx'

type DraftFatigueProps = { now: number; stops: CampaignStops; timezone: string }

/** The discount-fatigue guard over the draft; over its limit it asks for the reason without which nothing is saved. */
export function DraftFatigue({ now, stops, timezone }: DraftFatigueProps) {
  const { parsed, extra, setExtra, problems } = useProgramDraft()
  if (!parsed.ok) return null
  const peak = findFatiguePeak(withStops(parsed.program, new Map(stops)).campaigns, now)
  const error = problems.find((problem) => problem.field === 'overrideReason')?.message
  return (
    <BlockStack gap="400">
      <FatigueCard peak={peak} timezone={timezone} />
      {(judgeFatigue(peak.share) === 'stop' || error) && (
        <Card>
          <OverrideReason
            value={extra.overrideReason ?? ''}
            onChange={(overrideReason) => setExtra({ overrideReason })}
            error={error}
          />
        </Card>
      )}
    </BlockStack>
  )
}
