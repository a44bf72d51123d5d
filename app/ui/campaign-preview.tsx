import { BlockStack, Card, Divider, List, Text, TextField } from '@shopify/polaris'
import { useState } from 'react'

import { withStops, type CampaignStops } from '#app/loyalty/campaigns.ts'
import { currencyExponent, formatDecimal, formatMoney, parseMoney } from '#app/loyalty/money.ts'
import type { Campaign, Program } from '#app/loyalty/program.ts'
import { discountOf, findMeetings, groupMeetings, sayBetter, type Meeting } from '#app/ui/campaign-words.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { showList, showMoney } from '#app/ui/words.ts'

/** A cart to try the campaign with, and what else the campaign meets while it runs. */
export function CampaignPreview({ index, stops }: { index: number; stops: CampaignStops }) {
  const { parsed } = useProgramDraft()
  const [typed, setTyped] = useState<string>()
  const program = parsed.ok ? withStops(parsed.program, new Map(stops)) : null
  const campaign = program?.campaigns[index]
  const amount = typed ?? (program ? everyday(program) : '')
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Try it
        </Text>
        <TextField
          label="A cart of"
          autoComplete="off"
          inputMode="decimal"
          suffix={program?.currency}
          value={amount}
          onChange={setTyped}
        />
        <div aria-live="polite">
          {program && campaign ? (
            <BlockStack gap="300">
              <Text as="p" variant="headingMd">
                {sayCart(campaign, program, amount)}
              </Text>
              <Divider />
              {campaign.offer.kind === 'pointsMultiplier' ? (
                <Text as="p" tone="subdued">
                  It takes no money off, so it stands beside any discount.
                </Text>
              ) : (
                <Meetings
                  meetings={findMeetings(campaign, program)}
                  campaign={campaign}
                  program={program}
                  amount={amount}
                />
              )}
            </BlockStack>
          ) : (
            <Text as="p" tone="subdued">
              Complete the form to see what a cart would pay.
            </Text>
          )}
        </div>
      </BlockStack>
    </Card>
  )
}

type MeetingsProps = { meetings: Meeting[]; campaign: Campaign; program: Program; amount: string }

function Meetings({ meetings, campaign, program, amount }: MeetingsProps) {
  const cart = parseMoney(amount.trim(), program.currency)
  const nameOn = ({ name, takes }: Meeting) => {
    const off = cart === null ? null : takes(cart)
    return off === null ? name : `${name} (${showMoney(formatMoney(off, program.currency), program.currency)} off)`
  }
  if (meetings.length === 0) {
    return (
      <Text as="p" tone="subdued">
        It meets no other discount while it runs.
      </Text>
    )
  }
  return (
    <BlockStack gap="200">
      <Text as="h3" variant="headingSm">
        Together with
      </Text>
      <List>
        {groupMeetings(meetings).map((group) => {
          const names = showList(group.meetings.map(nameOn))
          const better = cart === null ? null : sayBetter(discountOf(campaign, cart), group.meetings, cart)
          return (
            <List.Item key={group.why}>
              {group.together
                ? `Both apply with ${names}.`
                : `Not both with ${names}: ${group.why}. Shopify takes the better one${better ? `; on this cart that is ${better}` : ''}.`}
            </List.Item>
          )
        })}
      </List>
    </BlockStack>
  )
}

function sayCart(campaign: Campaign, program: Program, amount: string): string {
  const minor = parseMoney(amount.trim(), program.currency)
  if (minor === null || minor < 0) return `Enter an amount like ${everyday(program)}.`
  const money = (value: number) => showMoney(formatMoney(value, program.currency), program.currency)
  if (campaign.minimumSubtotal !== null && minor < campaign.minimumSubtotal) {
    return `pays ${money(minor)}: it starts at ${money(campaign.minimumSubtotal)}`
  }
  if (campaign.offer.kind === 'shipping') return `pays ${money(minor)} and no shipping`
  if (campaign.offer.kind === 'pointsMultiplier') {
    return `pays ${money(minor)} and earns ${campaign.offer.multiplier / 10_000} times the points`
  }
  const off = discountOf(campaign, minor)
  return off
    ? `pays ${money(minor - off)} instead of ${money(minor)}`
    : `pays ${money(minor)}: it is under the first step`
}

function everyday(program: Program): string {
  const exponent = currencyExponent(program.currency)
  return exponent === 0 ? '8000' : formatDecimal(80 * 10 ** exponent, exponent)
}
