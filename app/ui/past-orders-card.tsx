import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Box, Button, Card, ChoiceList, InlineStack, ProgressBar, Text } from '@shopify/polaris'
import { useEffect, useId, useState } from 'react'

import { FormError } from '#app/ui/form-error.tsx'
import { useLookAgain } from '#app/ui/use-look-again.ts'
import { showCount, showDay } from '#app/ui/words.ts'

type Backfill = {
  state: 'asked' | 'running' | 'done' | 'failed'
  position: number
  total: number | null
  error: string | null
  finishedAt: number | null
}

type PastOrdersCardProps = { backfill: Backfill | null; readsAllOrders: boolean; timezone: string }

/** Orders from before the app came: read once, for the measures, and for points where the merchant wants it. */
export function PastOrdersCard({ backfill, readsAllOrders, timezone }: PastOrdersCardProps) {
  const [asking, setAsking] = useState(false)
  const underWay = backfill?.state === 'asked' || backfill?.state === 'running'
  useLookAgain(underWay)
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd">
            Orders from before
          </Text>
          {!underWay && (
            <Button onClick={() => setAsking(true)}>{backfill ? 'Read them again' : 'Read past orders'}</Button>
          )}
        </InlineStack>
        {backfill === null && (
          <Text as="p" tone="subdued">
            Orders placed before you installed Perennial are not known to it yet. Read them to see how customers come
            back from the first day on.
          </Text>
        )}
        {backfill && <Progress backfill={backfill} timezone={timezone} />}
      </BlockStack>
      <AskModal open={asking} onClose={() => setAsking(false)} readsAllOrders={readsAllOrders} />
    </Card>
  )
}

function Progress({ backfill, timezone }: { backfill: Backfill; timezone: string }) {
  const label = useId()
  const { state, position, total, error, finishedAt } = backfill
  if (state === 'failed') {
    return (
      <Text as="p" tone="critical">
        {`They could not be read: ${error ?? 'Shopify gave no reason'}`}
      </Text>
    )
  }
  if (state === 'done') {
    return (
      <Text as="p">
        {`${showCount(position)} orders were read${finishedAt === null ? '' : ` on ${showDay(finishedAt, timezone)}`}.`}
      </Text>
    )
  }
  return (
    <BlockStack gap="200">
      <Text as="p" id={label}>
        {total === null
          ? 'Shopify is collecting the orders. You can leave this page.'
          : `${showCount(position)} of ${showCount(total)} orders read`}
      </Text>
      <ProgressBar progress={total ? (position / total) * 100 : 0} size="small" tone="primary" ariaLabelledBy={label} />
    </BlockStack>
  )
}

type AskModalProps = { open: boolean; onClose: () => void; readsAllOrders: boolean }

function AskModal({ open, onClose, readsAllOrders }: AskModalProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  const [earns, setEarns] = useState('no')
  useEffect(() => {
    if (!fetcher.data?.ok) return
    shopify.toast.show(fetcher.data.message)
    onClose()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])
  const read = async () => {
    // Without this permission Shopify shows the last 60 days only; a merchant may well say no to it.
    if (!readsAllOrders) await shopify.scopes.request(['read_all_orders']).catch(() => undefined)
    fetcher.submit({ kind: 'backfill', earns }, { method: 'post' })
  }
  return (
    <Modal id="past-orders" open={open} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="400">
          <ChoiceList
            title="Do orders from before the program earn points?"
            choices={[
              { label: 'No, they only count for the figures', value: 'no' },
              { label: 'Yes, by the first version of the program', value: 'yes' },
            ]}
            selected={[earns]}
            onChange={([value]) => setEarns(value ?? 'no')}
          />
          <Text as="p" tone="subdued">
            {readsAllOrders
              ? 'All orders are read. It takes a few minutes and holds up nothing.'
              : 'Shopify will ask whether orders older than 60 days may be read. It takes a few minutes and holds up nothing.'}
          </Text>
          <FormError text={fetcher.data?.ok === false ? fetcher.data.message : null} />
        </BlockStack>
      </Box>
      <TitleBar title="Read past orders">
        <button {...{ variant: 'primary' }} disabled={fetcher.state !== 'idle'} onClick={() => void read()}>
          Read them
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}
