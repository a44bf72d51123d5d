import { useRevalidator } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { Banner, BlockStack, Button, Card, ChoiceList, FormLayout, Select, Text } from '@shopify/polaris'
import { useState } from 'react'

import type { ProgramDocument, RewardDocument } from '#app/loyalty/program-document.ts'
import type { RewardType } from '#app/loyalty/program.ts'
import { DraftResources, type Titles } from '#app/ui/draft-resources.tsx'
import { DraftCheckbox, DraftMoney, DraftNumber, DraftText, DraftTiers } from '#app/ui/program-fields.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { changeRewardType, isMoneyReward } from '#app/ui/proposals.ts'

type RewardFormProps = { index: number; isNew: boolean; titles: Titles; scopes: string[] }

const TYPES: { label: string; value: RewardType }[] = [
  { label: 'Money off', value: 'amount' },
  { label: 'Percentage off', value: 'percentage' },
  { label: 'Free shipping', value: 'shipping' },
  { label: 'Free product', value: 'product' },
  { label: 'Store credit', value: 'store-credit' },
  { label: 'Gift card', value: 'gift-card' },
]

/** The form over one reward of the draft. Fields come and go with its type, so that no combination is offered that cannot be. */
export function RewardForm({ index, isNew, titles, scopes }: RewardFormProps) {
  const draft = useProgramDraft()
  const path = ['rewards', index]
  const reward = draft.read(path) as RewardDocument | undefined
  if (!reward) return null
  const { type } = reward
  const discount = type !== 'store-credit' && type !== 'gift-card'
  return (
    <BlockStack gap="400">
      <ScopeBanner type={type} scopes={scopes} />
      <Card>
        <BlockStack gap="400">
          <Text as="h2" variant="headingMd">
            What members get
          </Text>
          <FormLayout>
            <Select
              label="Kind of reward"
              options={TYPES}
              value={type}
              onChange={(value) =>
                draft.write(path, changeRewardType(reward, value as RewardType, draft.document as ProgramDocument))
              }
            />
            {isNew && (
              <DraftText path={[...path, 'id']} label="Short name" helpText="For you; it cannot be changed later" />
            )}
            {type === 'percentage' && <DraftNumber path={[...path, 'value']} label="Percentage off" suffix="%" />}
            {type === 'product' && (
              <DraftResources path={[...path, 'products']} type="product" label="Free product" titles={titles} />
            )}
            {isMoneyReward(type) ? (
              <MoneyCost path={path} reward={reward} />
            ) : (
              <DraftNumber path={[...path, 'cost']} label="Costs (points)" />
            )}
          </FormLayout>
        </BlockStack>
      </Card>
      <Conditions path={path} type={type} titles={titles} />
      {discount && <Combining path={path} />}
    </BlockStack>
  )
}

/** A fixed amount for a fixed price, or as much as the member likes. */
function MoneyCost({ path, reward }: { path: (string | number)[]; reward: RewardDocument }) {
  const draft = useProgramDraft()
  const variable = reward.perPoints !== undefined
  const choose = (kind: string | undefined) => {
    const { cost, perPoints, step, minimumPoints, ...rest } = reward
    draft.write(
      path,
      kind === 'variable'
        ? { ...rest, perPoints: cost ?? 100, step: step ?? cost ?? 100 }
        : { ...rest, cost: perPoints ?? minimumPoints ?? 100 },
    )
  }
  return (
    <BlockStack gap="400">
      <ChoiceList
        title="How much"
        choices={[
          { label: 'A fixed amount', value: 'fixed' },
          { label: 'As much as the member likes', value: 'variable', helpText: 'In whole steps, up to the balance' },
        ]}
        selected={[variable ? 'variable' : 'fixed']}
        onChange={([kind]) => choose(kind)}
      />
      <FormLayout.Group>
        <DraftNumber
          path={[...path, variable ? 'perPoints' : 'cost']}
          label={variable ? 'Every (points)' : 'Costs (points)'}
        />
        <DraftMoney path={[...path, 'value']} label={variable ? 'are worth' : 'Worth'} />
      </FormLayout.Group>
      {variable && (
        <FormLayout.Group>
          <DraftNumber path={[...path, 'step']} label="In steps of (points)" />
          <DraftNumber path={[...path, 'minimumPoints']} label="At least (points)" />
        </FormLayout.Group>
      )}
    </BlockStack>
  )
}

function Conditions({ path, type, titles }: { path: (string | number)[]; type: RewardType; titles: Titles }) {
  const draft = useProgramDraft()
  const credit = type === 'store-credit' || type === 'gift-card'
  // Rewards of other types may have a share from before it was refused: it must be seen to be taken out.
  const hasShare = type === 'amount' || type === 'product' || draft.read([...path, 'maximumShare']) !== undefined
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          Conditions
        </Text>
        <FormLayout>
          {!credit && (
            <FormLayout.Group>
              <DraftNumber
                path={[...path, 'validDays']}
                label="Code works for"
                suffix="days"
                helpText="Empty: for ever. Unused codes give their points back."
              />
              <DraftMoney path={[...path, 'minimumSubtotal']} label="On orders from" helpText="Empty: on any order" />
            </FormLayout.Group>
          )}
          <FormLayout.Group>
            <DraftNumber
              path={[...path, 'limitPerMember']}
              label="At most, per member"
              suffix="times"
              helpText="Empty: as often as the points allow"
            />
            {hasShare && (
              <DraftNumber
                path={[...path, 'maximumShare']}
                label="Pays at most"
                suffix="% of an order"
                helpText="Empty: all of it"
              />
            )}
          </FormLayout.Group>
          <DraftTiers path={[...path, 'tiers']} label="Only for tiers" />
          {(type === 'amount' || type === 'percentage') && (
            <BlockStack gap="400">
              <DraftResources
                path={[...path, 'products']}
                type="product"
                label="Only on these products"
                helpText="None chosen: on everything"
                titles={titles}
              />
              <DraftResources
                path={[...path, 'collections']}
                type="collection"
                label="Only on these collections"
                titles={titles}
              />
            </BlockStack>
          )}
        </FormLayout>
      </BlockStack>
    </Card>
  )
}

function Combining({ path }: { path: (string | number)[] }) {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Can be used together with
        </Text>
        <DraftCheckbox path={[...path, 'combinesWith', 'order']} label="Other discounts on the order" />
        <DraftCheckbox path={[...path, 'combinesWith', 'product']} label="Discounts on products" />
        <DraftCheckbox path={[...path, 'combinesWith', 'shipping']} label="Discounts on shipping" />
        <Text as="p" variant="bodySm" tone="subdued">
          Both discounts must allow it; otherwise Shopify takes the better one.
        </Text>
      </BlockStack>
    </Card>
  )
}

const NEEDED: Partial<Record<RewardType, { scopes: string[]; text: string }>> = {
  'store-credit': {
    // The second is for seeing whether credit was given where Shopify's answer was lost.
    scopes: ['write_store_credit_account_transactions', 'read_store_credit_accounts'],
    text: 'Perennial may not give store credit yet.',
  },
  'gift-card': { scopes: ['write_gift_cards'], text: 'Perennial may not make gift cards yet.' },
}

/** Permissions that only these rewards need are asked for here, when they are first wanted. */
function ScopeBanner({ type, scopes }: { type: RewardType; scopes: string[] }) {
  const shopify = useAppBridge()
  const revalidator = useRevalidator()
  const [declined, setDeclined] = useState(false)
  const [granted, setGranted] = useState<readonly string[]>([])
  const needed = NEEDED[type]
  const missing = needed?.scopes.filter((scope) => !scopes.includes(scope) && !granted.includes(scope)) ?? []
  if (!needed || missing.length === 0) return null
  const ask = async () => {
    const { result } = await shopify.scopes.request(missing)
    setDeclined(result !== 'granted-all')
    // Shopify's word is enough for the page; the app itself hears of it by a webhook a moment later.
    if (result === 'granted-all') setGranted([...granted, ...missing])
    revalidator.revalidate()
  }
  return (
    <Banner tone="warning" title={needed.text}>
      <BlockStack gap="200" inlineAlign="start">
        <p>
          {declined
            ? 'Shopify was asked and the permission was not given.'
            : 'Members cannot take this reward until you allow it.'}
        </p>
        <Button onClick={() => void ask()}>Allow it</Button>
      </BlockStack>
    </Banner>
  )
}
