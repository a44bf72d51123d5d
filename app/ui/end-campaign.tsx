import { useFetcher } from '@remix-run/react'
import { Modal, TitleBar, useAppBridge } from '@shopify/app-bridge-react'
import { Box, Text } from '@shopify/polaris'
import { useEffect } from 'react'

/** Asks before a running campaign is ended: it cannot be taken up again. */
export function EndCampaign({ open, onClose }: { open: boolean; onClose: () => void }) {
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
        <Text as="p">
          Shoppers get nothing from it from now on. It cannot be taken up again; you can add another campaign at any
          time.
        </Text>
      </Box>
      <TitleBar title="End this campaign now?">
        <button
          {...{ variant: 'primary', tone: 'critical' }}
          disabled={fetcher.state !== 'idle'}
          onClick={() => fetcher.submit({ intent: 'end' }, { method: 'post' })}
        >
          End it
        </button>
        <button onClick={onClose}>Let it run</button>
      </TitleBar>
    </Modal>
  )
}
