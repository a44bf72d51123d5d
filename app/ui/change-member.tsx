import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Box, Select, Text, TextField } from '@shopify/polaris'
import { useEffect, useState } from 'react'

import { FormError } from '#app/ui/form-error.tsx'
import type { MemberChangeReply } from '#app/ui/member-change.ts'

type PlaceTierProps = { open: boolean; onClose: () => void; levels: { id: string; name: string }[] }

/** Puts a member into a tier by hand, for a while or for good, with a reason; or lets the rules decide again. */
export function PlaceTier({ open, onClose, levels }: PlaceTierProps) {
  const { fetcher, errors, saving } = useChange('Tier changed', onClose)
  const [level, setLevel] = useState('')
  const [until, setUntil] = useState('')
  const [reason, setReason] = useState('')
  return (
    <Modal id="place-tier" open={open} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="400">
          <Select
            label="Tier"
            options={[
              { label: 'As the rules decide', value: '' },
              ...levels.map(({ id, name }) => ({ label: name, value: id })),
            ]}
            value={level}
            onChange={setLevel}
            error={errors.level}
          />
          {level !== '' && (
            <TextField
              label="Until the end of"
              type="date"
              autoComplete="off"
              helpText="Leave empty to keep it until you change it"
              value={until}
              onChange={setUntil}
              error={errors.until}
            />
          )}
          <TextField
            label="Reason"
            autoComplete="off"
            value={reason}
            onChange={setReason}
            maxLength={200}
            error={errors.reason}
          />
          <FormError text={errors.form} />
        </BlockStack>
      </Box>
      <TitleBar title="Change tier by hand">
        <button
          {...{ variant: 'primary' }}
          disabled={saving}
          onClick={() =>
            fetcher.submit(
              { intent: 'place-tier', level, until: level === '' ? '' : until, reason },
              { method: 'post' },
            )
          }
        >
          Change tier
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}

/**
 * Asks before an unused code is taken away from a member; the points come back once Shopify has let go of the code, without those
 * that have run out meanwhile. What came back is said afterwards.
 */
export function TakeBackCode({ code, onClose }: { code: string | null; onClose: () => void }) {
  const { fetcher, errors, saving } = useChange('The code is being taken back', onClose)
  return (
    <Modal id="take-back-code" open={code !== null} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="300">
          <Text as="p">
            {`${code ?? ''} will stop working at checkout. Once Shopify has confirmed that it was not used, the member gets its points back, except those that have run out meanwhile.`}
          </Text>
          <FormError text={errors.form} />
        </BlockStack>
      </Box>
      <TitleBar title="Take this code back?">
        <button
          {...{ variant: 'primary', tone: 'critical' }}
          disabled={saving}
          onClick={() => fetcher.submit({ intent: 'take-back-code', code: code ?? '' }, { method: 'post' })}
        >
          Take back
        </button>
        <button onClick={onClose}>Keep it</button>
      </TitleBar>
    </Modal>
  )
}

/** One posted change: its errors while it was refused, a toast (the answer's own words, where it has any) and the dialog's end when it worked. */
function useChange(doneMessage: string, onDone: () => void) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<MemberChangeReply>()
  useEffect(() => {
    if (!fetcher.data?.ok) return
    shopify.toast.show(fetcher.data.message ?? doneMessage)
    onDone()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])
  const errors: Record<string, string> = fetcher.data && !fetcher.data.ok ? fetcher.data.errors : {}
  return { fetcher, errors, saving: fetcher.state !== 'idle' }
}
