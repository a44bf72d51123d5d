import { BlockStack, Card } from '@shopify/polaris'

import { withStops, type CampaignStops } from '#app/loyalty/campaigns.ts'
import { FATIGUE_STOP_SHARE, findFatiguePeak } from '#app/loyalty/fatigue.ts'
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
      {peak.share >= FATIGUE_STOP_SHARE && (
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
