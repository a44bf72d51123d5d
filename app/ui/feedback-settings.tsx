import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Button, Card, InlineStack, Link, Select, Text } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import { ROUND_DAYS } from '#app/retention/nps.ts'
import type { ThemeBlocks } from '#app/ui/theme-blocks.ts'

/** What the server says to a change of the settings. */
export type SettingsReply = { ok: boolean; message: string }

type FeedbackSettingsProps = {
  roundDays: number
  /** What the program pays for an answer; null where it does not. */
  points: number | null
  block: ThemeBlocks
}

const ROUND_WORDS: Record<number, string> = { 30: 'a month', 90: '3 months', 180: '6 months', 365: 'a year' }

/** How often customers are asked, where, and for how many points. */
export function FeedbackSettings({ roundDays, points, block }: FeedbackSettingsProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<SettingsReply>()
  const [days, setDays] = useState(String(roundDays))
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data, shopify])
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          How you ask
        </Text>
        <InlineStack gap="300" blockAlign="end">
          <Select
            label="Ask each customer again after"
            options={ROUND_DAYS.map((value) => ({ label: ROUND_WORDS[value]!, value: String(value) }))}
            value={days}
            onChange={setDays}
            helpText="Until then a new answer takes the place of the old one."
            error={fetcher.data && !fetcher.data.ok ? fetcher.data.message : undefined}
          />
        </InlineStack>
        <InlineStack>
          <Button
            disabled={days === String(roundDays)}
            loading={fetcher.state !== 'idle'}
            onClick={() => fetcher.submit({ days }, { method: 'post' })}
          >
            Save
          </Button>
        </InlineStack>
        <Text as="p">
          {points === null ? 'Answering earns nothing. ' : `Answering earns ${points} points, whatever the answer. `}
          <Link url="/app/program">{points === null ? 'Give points for it' : 'Change that'}</Link>
        </Text>
        {block.state !== 'unknown' && (
          <Text as="p">
            {block.state === 'active'
              ? 'The question is in your theme. '
              : 'The question is not in your published theme, so nobody is asked. '}
            {block.state === 'available' && (
              <Link url={block.editorUrl} target="_top">
                Open theme editor
              </Link>
            )}
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}
