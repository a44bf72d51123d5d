import { useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Button, InlineStack, Tag, Text } from '@shopify/polaris'
import { useState } from 'react'

import type { Path } from '#app/ui/draft.ts'
import { FormError } from '#app/ui/form-error.tsx'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { shopifyNumber } from '#app/ui/words.ts'

/** Titles by gid, as far as Shopify has said them. */
export type Titles = Record<string, string>

type DraftResourcesProps = {
  path: Path
  type: 'product' | 'collection'
  label: string
  helpText?: string
  /** No more than so many can be chosen. */
  max?: number
  titles: Titles
}

/** Products or collections of the store, chosen with Shopify's own picker. None chosen: the field is left out of the document. */
export function DraftResources({ path, type, label, helpText, max, titles }: DraftResourcesProps) {
  const draft = useProgramDraft()
  const shopify = useAppBridge()
  const [picked, setPicked] = useState<Record<string, string>>({})
  const ids = (draft.read(path) ?? []) as string[]
  const error = draft.errorAt(path)
  const choose = async () => {
    const chosen = await shopify.resourcePicker({
      type,
      multiple: max ?? true,
      action: 'select',
      selectionIds: ids.map((id) => ({ id })),
      filter: { variants: false },
    })
    if (!chosen) return
    setPicked((before) => ({ ...before, ...Object.fromEntries(chosen.map((one) => [one.id, titleOf(one)])) }))
    draft.write(path, chosen.length === 0 ? undefined : chosen.map((one) => one.id))
  }
  return (
    <BlockStack gap="200">
      <Text as="p">{label}</Text>
      {ids.length > 0 && (
        <InlineStack gap="200">
          {ids.map((id) => (
            <Tag key={id} onRemove={() => draft.write(path, without(ids, id))}>
              {picked[id] || titles[id] || `No. ${shopifyNumber(id)}`}
            </Tag>
          ))}
        </InlineStack>
      )}
      <InlineStack>
        <Button onClick={() => void choose()}>{type === 'product' ? 'Choose products' : 'Choose collections'}</Button>
      </InlineStack>
      {helpText && (
        <Text as="p" tone="subdued" variant="bodySm">
          {helpText}
        </Text>
      )}
      <FormError text={error} />
    </BlockStack>
  )
}

function titleOf(resource: unknown): string {
  const { title } = resource as { title?: string }
  return title ?? ''
}

function without(ids: string[], id: string): string[] | undefined {
  const rest = ids.filter((one) => one !== id)
  return rest.length === 0 ? undefined : rest
}
