import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { useEffect } from 'react'

import type { CampaignStatus } from '#app/ui/campaign-words.ts'

/**
 * What a merchant may do with a campaign beside editing it, as a page's secondary actions. A new one (no status) has none. `refusal` is why the
 * last was not done, for the page to show until the next is.
 */
export function useCampaignActions(
  status: CampaignStatus | null,
  { onEnd, onRemove }: { onEnd: () => void; onRemove: () => void },
) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data])
  const refusal = fetcher.data?.ok === false ? fetcher.data.message : null
  if (status === null) return { actions: [], refusal }
  const submit = (content: string, intent: string) => ({
    content,
    disabled: fetcher.state !== 'idle',
    onAction: () => fetcher.submit({ intent }, { method: 'post' }),
  })
  const actions = [
    ...(status === 'running' ? [submit('Pause', 'pause')] : []),
    ...(status === 'paused' ? [submit('Resume', 'resume')] : []),
    ...(status === 'ended' ? [] : [{ content: status === 'scheduled' ? 'Call off' : 'End now', onAction: onEnd }]),
    { content: 'Remove', destructive: true, onAction: onRemove },
  ]
  return { actions, refusal }
}
