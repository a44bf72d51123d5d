import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Box, Checkbox, ChoiceList, Text, TextField } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import type { MemberChangeReply } from '#app/ui/member-change.ts'
import { showPoints, type PointsName } from '#app/ui/words.ts'

type AdjustPointsProps = {
  /** What makes the change happen once, made by whoever opens the dialog; null while it is closed. */
  changeKey: string | null
  onClose: () => void
  balance: number
  name: PointsName
}

/**
 * Points given or taken by hand. It says what the balance will be before it happens, wants a reason, and happens once however
 * often the button is pressed. Each opening is a new form.
 */
export function AdjustPoints(props: AdjustPointsProps) {
  return <AdjustDialog key={props.changeKey} {...props} />
}

function AdjustDialog({ changeKey, onClose, balance, name }: AdjustPointsProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<MemberChangeReply>()
  const [direction, setDirection] = useState('give')
  const [amount, setAmount] = useState('')
  const [reason, setReason] = useState('')
  const [counts, setCounts] = useState(false)
  const saving = fetcher.state !== 'idle'
  const errors = fetcher.data && !fetcher.data.ok ? fetcher.data.errors : {}
  const points = /^\d{1,12}$/.test(amount.trim()) ? Number(amount) * (direction === 'give' ? 1 : -1) : null

  useEffect(() => {
    if (!fetcher.data?.ok) return
    shopify.toast.show('Points changed')
    onClose()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])

  const send = () =>
    fetcher.submit(
      {
        intent: 'adjust',
        points: points === null ? amount : String(points),
        reason,
        key: changeKey ?? '',
        countsForTier: String(counts),
      },
      { method: 'post' },
    )

  return (
    <Modal id="adjust-points" open={changeKey !== null} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="400">
          <ChoiceList
            title="What to do"
            titleHidden
            choices={[
              { label: `Give ${name.other}`, value: 'give' },
              { label: `Take ${name.other} away`, value: 'take' },
            ]}
            selected={[direction]}
            onChange={([value]) => setDirection(value ?? 'give')}
          />
          <TextField
            label="How many"
            autoComplete="off"
            inputMode="numeric"
            value={amount}
            onChange={setAmount}
            error={errors.points}
          />
          <TextField
            label="Reason"
            autoComplete="off"
            helpText="Kept in the history, for you and your colleagues"
            value={reason}
            onChange={setReason}
            maxLength={200}
            error={errors.reason}
          />
          <Checkbox label="Counts towards tiers" checked={counts} onChange={setCounts} />
          {(errors.form ?? errors.key) && (
            <Text as="p" tone="critical">
              {errors.form ?? errors.key}
            </Text>
          )}
          <Text as="p" tone="subdued">
            {points === null
              ? `The member has ${showPoints(balance, name)} to spend.`
              : `The member has ${showPoints(balance, name)} to spend and will have ${showPoints(balance + points, name)}.`}
          </Text>
        </BlockStack>
      </Box>
      <TitleBar title="Change points by hand">
        <button {...{ variant: 'primary' }} onClick={send} disabled={saving}>
          {direction === 'give' ? 'Give points' : 'Take points away'}
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}
