import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Box, Text } from '@shopify/polaris'
import { useEffect } from 'react'

import { FormError } from '#app/ui/form-error.tsx'

type EndCampaignProps = { open: boolean; onClose: () => void; began: boolean }

/** Asks before a campaign is ended, or called off before it began: it cannot be taken up again. */
export function EndCampaign({ open, onClose, began }: EndCampaignProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  useEffect(() => {
    if (!fetcher.data?.ok) return
    shopify.toast.show(fetcher.data.message)
    onClose()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [fetcher.data])
  return (
    <Modal id="end-campaign" open={open} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="300">
          <Text as="p">
            {began ? 'Shoppers get nothing from it from now on.' : 'It will not begin.'} It cannot be taken up again;
            you can add another campaign at any time.
          </Text>
          <FormError text={fetcher.data?.ok === false ? fetcher.data.message : null} />
        </BlockStack>
      </Box>
      <TitleBar title={began ? 'End this campaign now?' : 'Call this campaign off?'}>
        <button
          {...{ variant: 'primary', tone: 'critical' }}
          disabled={fetcher.state !== 'idle'}
          onClick={() => fetcher.submit({ intent: 'end' }, { method: 'post' })}
        >
          {began ? 'End it' : 'Call it off'}
        </button>
        <button onClick={onClose}>{began ? 'Let it run' : 'Keep it'}</button>
      </TitleBar>
    </Modal>
  )
}
