import {
  BlockStack,
  Box,
  Button,
  Card,
  ChoiceList,
  Collapsible,
  FormLayout,
  InlineError,
  InlineGrid,
  InlineStack,
  Select,
  Text,
} from '@shopify/polaris'

import { useId, useState } from 'react'

import { BANDS_MAX, COLLECTIONS_MAX } from '#app/loyalty/discount-configuration.ts'
import type { CampaignDocument, ProgramDocument } from '#app/loyalty/program-document.ts'
import type { Path } from '#app/ui/draft.ts'
import { DraftResources, type Titles } from '#app/ui/draft-resources.tsx'
import {
  DraftCheckbox,
  DraftDateTime,
  DraftMoney,
  DraftNumber,
  DraftText,
  DraftTiers,
} from '#app/ui/program-fields.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { showList, showShare, upperFirst } from '#app/ui/words.ts'
import { proposeOffer, type OfferKind } from '#app/ui/proposals.ts'

type CampaignFormProps = { index: number; titles: Titles; segments: readonly string[] }

const OFFERS: { label: string; value: OfferKind }[] = [
  { label: 'A percentage off', value: 'percentage' },
  { label: 'An amount off', value: 'amount' },
  { label: 'The bigger the purchase, the bigger the discount', value: 'bands' },
  { label: 'Free shipping', value: 'shipping' },
  { label: 'More points', value: 'pointsMultiplier' },
]

/** The form over one campaign of the draft: when, what, for whom, on what, and how it is measured. */
export function CampaignForm({ index, titles, segments }: CampaignFormProps) {
  const path = ['campaigns', index]
  return (
    <BlockStack gap="400">
      <When path={path} />
      <What path={path} />
      <ForWhom path={path} segments={segments} />
      <OnWhat path={path} titles={titles} />
      <Limits path={path} />
    </BlockStack>
  )
}

function When({ path }: { path: Path }) {
  const draft = useProgramDraft()
  return (
    <Section title="Name and time">
      <DraftText path={[...path, 'name']} label="Name" helpText="Shoppers read it at checkout" maxLength={60} />
      <FormLayout.Group>
        <DraftDateTime path={[...path, 'from']} label="Starts" />
        <DraftDateTime
          path={[...path, 'until']}
          label="Ends"
          helpText={`Time of ${String(draft.read(['timezone']))}`}
        />
      </FormLayout.Group>
    </Section>
  )
}

function What({ path }: { path: Path }) {
  const draft = useProgramDraft()
  const offer = (draft.read([...path, 'offer']) ?? {}) as CampaignDocument['offer']
  const kind = OFFERS.find(({ value }) => value in offer)?.value ?? 'percentage'
  const offerPath = [...path, 'offer']
  return (
    <Section title="What it gives">
      <Select
        label="Offer"
        options={OFFERS}
        value={kind}
        onChange={(value) => {
          draft.write(offerPath, proposeOffer(value as OfferKind, draft.document as ProgramDocument))
          // What is not asked for more points must not stay behind unseen.
          if (value === 'pointsMultiplier') {
            for (const name of ['budget', 'combinesWith']) draft.write([...path, name], undefined)
          }
        }}
        error={draft.errorAt(offerPath)}
      />
      {kind === 'percentage' && <DraftNumber path={[...offerPath, 'percentage']} label="Percentage" suffix="%" />}
      {kind === 'amount' && <DraftMoney path={[...offerPath, 'amount']} label="Amount" />}
      {kind === 'pointsMultiplier' && (
        <DraftNumber path={[...offerPath, 'pointsMultiplier']} label="Points count" suffix="times" />
      )}
      {kind === 'bands' && <Bands path={[...offerPath, 'bands']} />}
    </Section>
  )
}

/** Ascending steps: from each amount on, its percentage. */
function Bands({ path }: { path: Path }) {
  const draft = useProgramDraft()
  const field = useId()
  const error = draft.errorAt(path)
  const bands = (draft.read(path) ?? []) as { from: string; percentage: number }[]
  return (
    <BlockStack gap="300">
      {bands.map((_, index) => (
        <InlineGrid key={index} columns="1fr 1fr auto" gap="200" alignItems="end">
          <DraftMoney path={[...path, index, 'from']} label="From" />
          <DraftNumber path={[...path, index, 'percentage']} label="Discount" suffix="%" />
          <Button
            onClick={() => draft.write([...path, index], undefined)}
            disabled={bands.length === 1}
            accessibilityLabel={`Remove: step ${index + 1}`}
          >
            Remove
          </Button>
        </InlineGrid>
      ))}
      {error && <InlineError message={error} fieldID={field} />}
      <InlineStack gap="200" blockAlign="center">
        <Button
          id={field}
          disabled={bands.length >= BANDS_MAX}
          onClick={() => {
            const top = bands.at(-1)
            const from = top ? String(Math.round(Number(top.from) * 2) || 100) : '50'
            draft.write(path, [...bands, { from, percentage: Math.min(100, (top?.percentage ?? 0) + 5) }])
          }}
        >
          Add a step
        </Button>
        {bands.length >= BANDS_MAX && (
          <Text as="p" tone="subdued" variant="bodySm">
            {`At most ${BANDS_MAX} steps`}
          </Text>
        )}
      </InlineStack>
    </BlockStack>
  )
}

function ForWhom({ path, segments }: { path: Path; segments: readonly string[] }) {
  const draft = useProgramDraft()
  const panel = useId()
  const [open, setOpen] = useState(false)
  const chosen = (draft.read([...path, 'audience', 'segments']) ?? []) as string[]
  const write = (list: string[]) => {
    const audience = { ...(draft.read([...path, 'audience']) as object), segments: list.length > 0 ? list : undefined }
    const empty = Object.values(audience).every((value) => value === undefined)
    draft.write([...path, 'audience'], empty ? undefined : audience)
  }
  return (
    <Section title="For whom">
      <DraftTiers path={[...path, 'audience', 'tiers']} label="Only for tiers (none: for everyone)" />
      <div>
        <Button
          disclosure={open ? 'up' : 'down'}
          ariaExpanded={open}
          ariaControls={panel}
          onClick={() => setOpen(!open)}
        >
          {chosen.length === 0 ? 'Only for some segments' : `Only for ${showList(chosen.map(saySegment))}`}
        </Button>
        <Collapsible id={panel} open={open}>
          <Box paddingBlockStart="300">
            <ChoiceList
              title="Customers who are (none: everyone)"
              allowMultiple
              choices={segments.map((segment) => ({ label: saySegment(segment), value: segment }))}
              selected={chosen}
              onChange={write}
              error={draft.errorAt([...path, 'audience', 'segments'])}
            />
          </Box>
        </Collapsible>
      </div>
    </Section>
  )
}

/** "at-risk" → "At risk". */
function saySegment(segment: string): string {
  return upperFirst(segment.replaceAll('-', ' ').replace(/^nps\b/, 'NPS'))
}

/** Discounts have limits, points have none: how many products fit depends on the length of their numbers. */
function OnWhat({ path, titles }: { path: Path; titles: Titles }) {
  const draft = useProgramDraft()
  const { pointsMultiplier } = (draft.read([...path, 'offer']) ?? {}) as CampaignDocument['offer']
  const isDiscount = pointsMultiplier === undefined
  return (
    <Section title="On what">
      <DraftResources
        path={[...path, 'products']}
        type="product"
        label="Only these products"
        helpText={
          isDiscount
            ? 'None chosen: everything. There is room for about 580; a collection may hold any number.'
            : 'None chosen: everything'
        }
        titles={titles}
      />
      <DraftResources
        path={[...path, 'collections']}
        type="collection"
        label="Only these collections"
        {...(isDiscount && { helpText: `At most ${COLLECTIONS_MAX}`, max: COLLECTIONS_MAX })}
        titles={titles}
      />
      <DraftMoney path={[...path, 'minimumSubtotal']} label="On carts from" helpText="Empty: on any cart" />
      <ChoiceList
        title="Items already on sale"
        choices={[
          { label: 'count too', value: 'true' },
          { label: 'are left out', value: 'false' },
        ]}
        selected={[String(draft.read([...path, 'saleItems']) ?? true)]}
        onChange={([value]) => draft.write([...path, 'saleItems'], value === 'true' ? undefined : false)}
      />
    </Section>
  )
}

/** What multiplies points takes no money off: it has no budget, and stands beside any discount. */
function Limits({ path }: { path: Path }) {
  const draft = useProgramDraft()
  const { pointsMultiplier } = (draft.read([...path, 'offer']) ?? {}) as CampaignDocument['offer']
  if (pointsMultiplier !== undefined) {
    return (
      <Section title="Measuring">
        <DraftHoldOut path={[...path, 'holdOut']} />
      </Section>
    )
  }
  return (
    <Section title="Limits and measuring">
      <FormLayout.Group>
        <DraftMoney
          path={[...path, 'budget']}
          label="Give at most"
          helpText="Then it ends by itself. Empty: no limit"
        />
        <DraftHoldOut path={[...path, 'holdOut']} />
      </FormLayout.Group>
      <BlockStack gap="200">
        <Text as="p">Can be used together with</Text>
        <DraftCheckbox path={[...path, 'combinesWith', 'order']} label="Other discounts on the order" />
        <DraftCheckbox path={[...path, 'combinesWith', 'product']} label="Discounts on products" />
        <DraftCheckbox path={[...path, 'combinesWith', 'shipping']} label="Discounts on shipping" />
      </BlockStack>
    </Section>
  )
}

/** The share of customers who do not get it, so that what it changes can be seen. The document has a share, people say per cent. */
function DraftHoldOut({ path }: { path: Path }) {
  const draft = useProgramDraft()
  const share = draft.read(path)
  return (
    <Select
      label="Hold out"
      helpText="So many customers, picked by chance, do not get it. Only then can you see whether it works."
      options={[
        { label: 'Nobody', value: '' },
        ...[5, 10, 20, 50].map((percent) => ({ label: `${percent}% of customers`, value: String(percent / 100) })),
        ...(typeof share === 'number' && ![0.05, 0.1, 0.2, 0.5].includes(share)
          ? [{ label: `${showShare(share)} of customers`, value: String(share) }]
          : []),
      ]}
      value={share === undefined ? '' : String(share)}
      onChange={(value) => draft.write(path, value === '' ? undefined : Number(value))}
      error={draft.errorAt(path)}
    />
  )
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          {title}
        </Text>
        <FormLayout>{children}</FormLayout>
      </BlockStack>
    </Card>
  )
}
