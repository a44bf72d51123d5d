import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { Banner, BlockStack, Box, Card, ProgressBar, Text } from '@shopify/polaris'
import { useEffect, useId } from 'react'

import type { ImportReply } from '#app/ui/import-columns-card.tsx'
import { sayMembers } from '#app/ui/import-words.ts'
import { showCount, showPoints, type PointsName } from '#app/ui/words.ts'

/** The buttons of an import's page: what they send, and what is said of the answer. A refusal stays on the page. */
export function useImportAction(): {
  send: (intent: string) => void
  sending: string | null
  refusal: string | null
} {
  const shopify = useAppBridge()
  const fetcher = useFetcher<ImportReply>()
  const answer = fetcher.data
  useEffect(() => {
    if (answer?.ok) shopify.toast.show(answer.message)
  }, [answer, shopify])
  return {
    refusal: answer?.ok === false ? (answer.errors.form ?? null) : null,
    send: (intent) => fetcher.submit({ intent }, { method: 'post' }),
    sending: fetcher.state === 'idle' ? null : String(fetcher.formData?.get('intent') ?? ''),
  }
}

type ProgressProps = { state: string; done: number; total: number; error: string | null }

/** How far the work is, and what holds it up. */
export function ImportProgress({ state, done, total, error }: ProgressProps) {
  const label = useId()
  const what = { checking: 'looked at', applying: 'brought in', undoing: 'taken back' }[state]
  return (
    <Card>
      <BlockStack gap="300">
        {error && <Banner tone="warning">{error}</Banner>}
        <Text as="p" id={label}>
          {`${showCount(done)} of ${showCount(total)} lines ${what}. You can leave this page; it goes on.`}
        </Text>
        <ProgressBar
          progress={total === 0 ? 100 : (done / total) * 100}
          size="small"
          tone="primary"
          ariaLabelledBy={label}
        />
      </BlockStack>
    </Card>
  )
}

type UndoProps = {
  open: boolean
  onClose: () => void
  onUndo: () => void
  given: number
  points: number
  /** Of the points, those that are in members' balances still. */
  left: number
  pointsName: PointsName
}

/** Asks before what a file brought is taken back, and says what will happen to points that were spent. */
export function UndoImport({ open, onClose, onUndo, given, points, left, pointsName }: UndoProps) {
  const gone = points - left
  return (
    <Modal id="undo-import" open={open} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="300">
          <Text as="p">
            {`${sayMembers(given)} got ${showPoints(points, pointsName)} by this file. ${sayLeft(left, points, pointsName)}`}
          </Text>
          {gone > 0 && (
            <Text as="p">
              {`The other ${showPoints(gone, pointsName)} were spent, have expired, or filled a balance below zero. What was spent or has expired stays so; a balance that was below zero before goes back to where it was. Nobody loses anything earned here.`}
            </Text>
          )}
          <Text as="p" tone="subdued">
            Tiers that came with the file end. Members stay members, and birthdays stay. Nothing is deleted: the history
            shows both.
          </Text>
        </BlockStack>
      </Box>
      <TitleBar title="Take back what this file brought?">
        <button
          {...{ variant: 'primary', tone: 'critical' }}
          onClick={() => {
            onUndo()
            onClose()
          }}
        >
          Take back
        </button>
        <button onClick={onClose}>Keep it</button>
      </TitleBar>
    </Modal>
  )
}

function sayLeft(left: number, points: number, name: PointsName): string {
  if (left === points) return 'All of them are there still and will be taken back.'
  if (left === 0) return 'None of them are left to be taken back.'
  return `${showPoints(left, name)} ${left === 1 ? 'is' : 'are'} there still and will be taken back.`
}
