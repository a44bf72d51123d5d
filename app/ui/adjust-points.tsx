import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Box, Checkbox, ChoiceList, Text, TextField } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import { FormError } from '#app/ui/form-error.tsx'
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

type Form = { direction: string; amount: string; reason: string; counts: boolean }

const EMPTY: Form = { direction: 'give', amount: '', reason: '', counts: false }

function AdjustDialog({ changeKey, onClose, balance, name }: AdjustPointsProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<MemberChangeReply>()
  const [form, setForm] = useState(EMPTY)
  const errors = fetcher.data && !fetcher.data.ok ? fetcher.data.errors : {}
  const points = readPoints(form)

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
        points: points === null ? form.amount : String(points),
        reason: form.reason,
        key: changeKey ?? '',
        countsForTier: String(form.counts),
      },
      { method: 'post' },
    )

  return (
    <Modal id="adjust-points" open={changeKey !== null} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="400">
          <Fields form={form} onChange={(change) => setForm({ ...form, ...change })} errors={errors} name={name} />
          <FormError text={errors.form ?? errors.key} />
          <Text as="p" tone="subdued">
            {`The member has ${showPoints(balance, name)} to spend`}
            {points === null ? '.' : ` and will have ${showPoints(balance + points, name)}.`}
          </Text>
        </BlockStack>
      </Box>
      <TitleBar title="Change points by hand">
        <button {...{ variant: 'primary' }} onClick={send} disabled={fetcher.state !== 'idle'}>
          {form.direction === 'give' ? 'Give points' : 'Take points away'}
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}

/** The points that the form means, below zero where they are taken; null while the number is none. */
function readPoints({ amount, direction }: Form): number | null {
  if (!/^\d{1,12}$/.test(amount.trim())) return null
  return Number(amount) * (direction === 'give' ? 1 : -1)
}

type FieldsProps = {
  form: Form
  onChange: (change: Partial<Form>) => void
  errors: Record<string, string>
  name: PointsName
}

function Fields({ form, onChange, errors, name }: FieldsProps) {
  return (
    <>
      <ChoiceList
        title="What to do"
        titleHidden
        choices={[
          { label: `Give ${name.other}`, value: 'give' },
          { label: `Take ${name.other} away`, value: 'take' },
        ]}
        selected={[form.direction]}
        onChange={([direction = 'give']) => onChange({ direction })}
      />
      <TextField
        label="How many"
        autoComplete="off"
        inputMode="numeric"
        value={form.amount}
        onChange={(amount) => onChange({ amount })}
        error={errors.points}
      />
      <TextField
        label="Reason"
        autoComplete="off"
        helpText="Kept in the history, for you and your colleagues"
        value={form.reason}
        onChange={(reason) => onChange({ reason })}
        maxLength={200}
        error={errors.reason}
      />
      <Checkbox label="Counts towards tiers" checked={form.counts} onChange={(counts) => onChange({ counts })} />
    </>
  )
}
