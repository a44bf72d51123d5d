import { useFetcher } from '@remix-run/react'
import { Banner, BlockStack, Button, ButtonGroup, Card, FormLayout, InlineStack, Select, Text } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import type { ImportField, ImportMapping } from '#app/loyalty/import-columns.ts'
import { FIELD_LABELS } from '#app/ui/import-words.ts'

/** What the import's action answers. */
export type ImportReply = { ok: true; message: string } | { ok: false; errors: Record<string, string> }

type ColumnsProps = {
  header: string[]
  mapping: ImportMapping
  /** The first lines of the file. */
  samples: string[][]
  /** Closes the choice without changing anything; none where there is nothing to go back to. */
  onCancel?: () => void
  onDone: () => void
}

const NONE = ''

/** Which column of the file holds what, chosen by the merchant, with what stands in each to tell them apart. */
export function ImportColumns({ header, mapping, samples, onCancel, onDone }: ColumnsProps) {
  const fetcher = useFetcher<ImportReply>()
  const [chosen, setChosen] = useState(mapping)
  // What was changed since it was found wrong is no longer wrong.
  const [changed, setChanged] = useState<ImportField[]>([])
  const errors = fetcher.data && !fetcher.data.ok ? fetcher.data.errors : {}
  useEffect(() => {
    if (fetcher.data?.ok) onDone()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])
  const send = () => {
    const places = Object.entries(chosen).map(([field, place]) => [field, place === null ? NONE : String(place)])
    fetcher.submit({ intent: 'columns', ...Object.fromEntries(places) }, { method: 'post' })
    setChanged([])
  }
  return (
    <Card>
      <BlockStack gap="400">
        <BlockStack gap="100">
          <Text as="h2" variant="headingMd">
            Which column holds what?
          </Text>
          <Text as="p" tone="subdued">
            The points, and the e-mail address or the Shopify customer ID, are needed. Leave out what the file does not
            have.
          </Text>
        </BlockStack>
        {errors.form && <Banner tone="critical">{errors.form}</Banner>}
        <FormLayout>
          {(Object.keys(FIELD_LABELS) as ImportField[]).map((field) => (
            <Select
              key={field}
              label={FIELD_LABELS[field]}
              options={[
                { label: 'Not in this file', value: NONE },
                ...header.map((name, place) => ({ label: nameColumn(name, place, samples), value: String(place) })),
              ]}
              value={chosen[field] === null ? NONE : String(chosen[field])}
              onChange={(value) => {
                setChosen({ ...chosen, [field]: value === NONE ? null : Number(value) })
                setChanged([...changed, field])
              }}
              error={changed.includes(field) ? undefined : errors[field]}
            />
          ))}
        </FormLayout>
        <InlineStack align="end">
          <ButtonGroup>
            {onCancel && <Button onClick={onCancel}>Cancel</Button>}
            <Button variant="primary" loading={fetcher.state !== 'idle'} onClick={send}>
              Check with these columns
            </Button>
          </ButtonGroup>
        </InlineStack>
      </BlockStack>
    </Card>
  )
}

/** "points · 120, 45": a column with what stands in the first lines. */
function nameColumn(name: string, place: number, samples: string[][]): string {
  const texts = samples.map((fields) => fields[place]?.trim() ?? '').filter((text) => text !== '')
  return texts.length === 0 ? name : `${name} · ${texts.join(', ').slice(0, 60)}`
}
