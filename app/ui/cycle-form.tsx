import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Button, Card, FormLayout, InlineStack, Select, Tag, Text, TextField } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import type { ReplacementCycle } from '#app/retention/lifecycle.ts'
import { sayDays, type CycleReply } from '#app/ui/cycles.ts'
import { FormError } from '#app/ui/form-error.tsx'
import { showCount } from '#app/ui/words.ts'

type CycleFormProps = {
  /** Types and tags of the shop's products, as far as they are known. */
  kinds: { types: string[]; tags: string[] }
  /** Days within which nine in ten customers who come back do so; null where nobody has. */
  usualDays: number | null
}

const OF_OPTIONS = [
  { label: 'A product', value: 'product' },
  { label: 'Products of a type', value: 'type' },
  { label: 'Products with a tag', value: 'tag' },
]
const A_YEAR = 365

/** Says how long something lasts. What was said of it before is replaced. */
export function CycleForm({ kinds, usualDays }: CycleFormProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<CycleReply>()
  const [of, setOf] = useState<ReplacementCycle['of']>('product')
  const [value, setValue] = useState('')
  const [title, setTitle] = useState('')
  const [days, setDays] = useState(String(Math.max(1, Math.round(usualDays ?? A_YEAR))))
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data, shopify])
  const errors = fetcher.data && !fetcher.data.ok ? fetcher.data.errors : {}
  const choose = async () => {
    const chosen = await shopify.resourcePicker({ type: 'product', action: 'select', filter: { variants: false } })
    const product = chosen?.[0] as { id: string; title?: string } | undefined
    if (!product) return
    setValue(product.id)
    setTitle(product.title ?? '')
  }
  const number = Number(days)
  return (
    <Card>
      <BlockStack gap="400">
        <Text as="h2" variant="headingMd">
          Say how long something lasts
        </Text>
        <FormLayout>
          <Select
            label="What"
            options={OF_OPTIONS}
            value={of}
            onChange={(name) => {
              setOf(name as ReplacementCycle['of'])
              setValue('')
            }}
          />
          {of === 'product' ? (
            <ProductField
              title={value === '' ? null : title}
              error={errors.value}
              onChoose={() => void choose()}
              onRemove={() => setValue('')}
            />
          ) : (
            <KindField
              label={of === 'type' ? 'Type' : 'Tag'}
              names={of === 'type' ? kinds.types : kinds.tags}
              {...{ value, error: errors.value, onChange: setValue }}
            />
          )}
          <TextField
            label="Lasts"
            type="number"
            min={1}
            suffix={number >= 60 ? `days, ${sayDays(number).replace(/^.*\(|\)$/g, '')}` : 'days'}
            autoComplete="off"
            value={days}
            onChange={setDays}
            error={errors.days}
            helpText={
              usualDays === null
                ? undefined
                : `Nine in ten of your customers who came back did so within ${showCount(Math.round(usualDays))} days.`
            }
          />
        </FormLayout>
        <FormError text={errors.form} />
        <InlineStack>
          <Button
            variant="primary"
            loading={fetcher.state !== 'idle'}
            onClick={() => fetcher.submit({ intent: 'set', of, value, days }, { method: 'post' })}
          >
            Save
          </Button>
        </InlineStack>
      </BlockStack>
    </Card>
  )
}

type ProductFieldProps = {
  /** The chosen product's title; null while none is chosen. */
  title: string | null
  error?: string
  onChoose: () => void
  onRemove: () => void
}

function ProductField({ title, error, onChoose, onRemove }: ProductFieldProps) {
  return (
    <BlockStack gap="200">
      {title !== null && (
        <InlineStack>
          <Tag onRemove={onRemove}>{title || 'The chosen product'}</Tag>
        </InlineStack>
      )}
      <InlineStack>
        <Button onClick={onChoose}>Choose product</Button>
      </InlineStack>
      <FormError text={error} />
    </BlockStack>
  )
}

type KindFieldProps = {
  label: string
  names: string[]
  value: string
  error?: string
  onChange: (value: string) => void
}

/** A menu of what there is; a field to type in where that is not known. */
function KindField({ label, names, value, error, onChange }: KindFieldProps) {
  if (names.length === 0) {
    return <TextField {...{ label, value, error, onChange }} autoComplete="off" />
  }
  return (
    <Select
      {...{ label, value, error, onChange }}
      options={[{ label: 'Choose one', value: '' }, ...names.map((name) => ({ label: name, value: name }))]}
    />
  )
}
