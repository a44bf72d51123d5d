import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { Banner, BlockStack, Box, Button, Card, InlineStack, ProgressBar, Text } from '@shopify/polaris'
import { useEffect, useId, useState } from 'react'

import { useLookAgain } from '#app/ui/use-look-again.ts'
import { shopifyNumber, showCount, showInstant } from '#app/ui/words.ts'

/** A list as db/customer-lists.server.ts has it. */
type List = {
  tag: string
  wish: 'tag' | 'untag'
  customers: number
  waiting: number
  tagged: number
  unknown: number
  askedAt: number
  finishedAt: number | null
  segment: string | null
  error: string | null
}

type TagListCardProps = {
  /** The group's name in addresses, and the segment that a campaign can be for, where it is one. */
  of: string
  segment: string | null
  /** Customers in it now. */
  total: number
  tag: string
  list: List | null
  timezone: string
}

/** What can be done with a list of customers: tag them in Shopify, make a segment of the tag, or give them a campaign of their own. */
export function TagListCard({ of, segment, total, tag, list, timezone }: TagListCardProps) {
  const [asking, setAsking] = useState<'tag' | 'untag' | null>(null)
  const { send, refusal, busy } = useListAction(of, () => setAsking(null))
  const underWay = list !== null && list.finishedAt === null
  useLookAgain(underWay)
  const isTagged = list !== null && list.wish === 'tag'
  return (
    <Card>
      <BlockStack gap="400">
        <BlockStack gap="100">
          <Text as="h2" variant="headingMd">
            Do something about it
          </Text>
          <Text as="p" tone="subdued">
            {segment === null
              ? 'Tag these customers in Shopify, to mail them, start a Flow, or make a segment of them.'
              : 'Give them a campaign of their own, or tag them in Shopify, to mail them, start a Flow, or make a segment of them.'}
          </Text>
        </BlockStack>
        {refusal && (
          <Banner tone="critical" title="That did not work">
            <p>{refusal}</p>
          </Banner>
        )}
        {list && <ListState list={list} timezone={timezone} onRetry={() => send('retry')} />}
        <InlineStack gap="200">
          {segment !== null && (
            <Button url={`/app/campaigns/new?segment=${segment}`} variant={isTagged ? undefined : 'primary'}>
              Make them an offer
            </Button>
          )}
          {total > 0 && !underWay && (
            <Button onClick={() => setAsking('tag')}>{isTagged ? 'Bring the tag up to date' : 'Tag in Shopify'}</Button>
          )}
          {isTagged && list.segment === null && (
            <Button onClick={() => send('segment')} loading={busy === 'segment'}>
              Create segment in Shopify
            </Button>
          )}
          {list?.segment != null && (
            <Button url={`shopify://admin/customers/segments/${shopifyNumber(list.segment)}`} target="_top">
              Open segment in Shopify
            </Button>
          )}
          {isTagged && (
            <Button tone="critical" variant="plain" onClick={() => setAsking('untag')}>
              Remove the tag
            </Button>
          )}
        </InlineStack>
      </BlockStack>
      <AskModal {...{ asking, tag, total, list }} busy={busy !== null} onClose={() => setAsking(null)} onSure={send} />
    </Card>
  )
}

/** Sends a wish; says what came of it in a toast, or what stands against it. */
function useListAction(of: string, onDone: () => void) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  useEffect(() => {
    if (!fetcher.data) return
    if (fetcher.data.ok) shopify.toast.show(fetcher.data.message)
    onDone()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])
  return {
    send: (intent: string) => fetcher.submit({ intent, of }, { method: 'post', action: '/app/retention/list' }),
    refusal: fetcher.data && !fetcher.data.ok ? fetcher.data.message : null,
    busy: fetcher.state === 'idle' ? null : String(fetcher.formData?.get('intent') ?? 'looking'),
  }
}

function ListState({ list, timezone, onRetry }: { list: List; timezone: string; onRetry: () => void }) {
  const label = useId()
  const { wish, waiting, tagged, unknown, tag, finishedAt, error } = list
  const gone = unknown === 0 ? '' : ` ${people(unknown)} could not be tagged: Shopify no longer has them.`
  if (finishedAt !== null) {
    return (
      <Text as="p">
        {wish === 'tag'
          ? `${people(tagged)} ${tagged === 1 ? 'has' : 'have'} the tag ${tag} since ${showInstant(finishedAt, timezone)}.${gone} Who comes under this later is not tagged by itself.`
          : `The tag ${tag} was taken away again, ${showInstant(finishedAt, timezone)}.`}
      </Text>
    )
  }
  const all = wish === 'tag' ? waiting + tagged : Math.max(list.customers, waiting)
  const done = all - waiting
  return (
    <BlockStack gap="200">
      <Text as="p" id={label}>
        {`${wish === 'tag' ? 'Tagging' : 'Taking the tag away'}: ${showCount(done)} of ${showCount(all)} done. You can leave this page.`}
      </Text>
      <ProgressBar progress={all === 0 ? 0 : (done / all) * 100} size="small" tone="primary" ariaLabelledBy={label} />
      {error !== null && (
        <InlineStack gap="200" blockAlign="center">
          <Text as="p" tone="caution">
            {ERROR_WORDS[error] ?? 'Shopify refused it.'}
          </Text>
          <Button variant="plain" onClick={onRetry}>
            Try now
          </Button>
        </InlineStack>
      )}
    </BlockStack>
  )
}

/** Why Shopify did not do it (shopify/admin-api.server.ts). */
const ERROR_WORDS: Record<string, string> = {
  throttled: 'Shopify is busy. It goes on by itself.',
  unavailable: 'Shopify cannot be reached just now. It goes on by itself.',
  timeout: 'Shopify cannot be reached just now. It goes on by itself.',
  unauthorized: 'Shopify does not let the app do this. Open the app’s settings in Shopify and check its permissions.',
}

type AskModalProps = {
  asking: 'tag' | 'untag' | null
  tag: string
  total: number
  list: List | null
  busy: boolean
  onClose: () => void
  onSure: (intent: string) => void
}

function AskModal({ asking, tag, total, list, busy, onClose, onSure }: AskModalProps) {
  const untagging = asking === 'untag'
  return (
    <Modal id="tag-customers" open={asking !== null} onHide={onClose}>
      <Box padding="400">
        <Text as="p">
          {untagging
            ? `${people(list?.tagged ?? 0)} will lose the tag ${tag} in Shopify. A segment made of it will be empty.`
            : `${people(total)} will have the tag ${tag} in Shopify${list?.tagged ? ', and nobody else' : ''}. This runs in the background and can be undone.`}
        </Text>
      </Box>
      <TitleBar title={untagging ? 'Remove the tag?' : 'Tag these customers?'}>
        <button
          {...{ variant: 'primary', ...(untagging ? { tone: 'critical' } : {}) }}
          disabled={busy}
          onClick={() => onSure(untagging ? 'untag' : 'tag')}
        >
          {untagging ? 'Remove it' : 'Tag them'}
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}

function people(count: number): string {
  return count === 1 ? '1 customer' : `${showCount(count)} customers`
}
