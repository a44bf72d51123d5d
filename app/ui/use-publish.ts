import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { useEffect } from 'react'

import type { PublishReply } from '#app/ui/program-draft.tsx'

/** Publishes a whole document at once, outside a form: an imported file, an old version. Says so in a toast when it worked. */
export function usePublish(savedMessage: string) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<PublishReply>()
  const reply = fetcher.data
  useEffect(() => {
    if (reply?.ok) shopify.toast.show(savedMessage)
  }, [reply])
  return {
    saving: fetcher.state !== 'idle',
    reply,
    publish: (document: unknown, basedOn: number) =>
      fetcher.submit(
        { document: JSON.stringify(document), basedOn: String(basedOn) },
        { method: 'post', action: '/app/program/publish' },
      ),
  }
}
