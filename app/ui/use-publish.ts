import { useFetcher, type ShouldRevalidateFunction } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { useEffect } from 'react'

import type { Problem } from '#app/loyalty/problems.ts'
import { keepUnanswered } from '#app/ui/keep-page.ts'

/** What the action of app.program.publish answers. */
export type PublishReply =
  | { ok: true; version: number }
  | { ok: false; reason: 'invalid_program'; problems: readonly Problem[] }
  | { ok: false; reason: 'changed_meanwhile'; version: number }

export type Publishing = {
  saving: boolean
  /** The last answer; the one before it while the next is on its way. */
  reply: PublishReply | undefined
  publish: (document: unknown, basedOn: number, extra?: Record<string, string>) => void
}

/**
 * Publishes a whole program document and says so in a toast when it worked. A page that `onSaved` leaves must export
 * `keepWhileLeaving`: reading its entry again may find it gone before React comes to leave.
 */
export function usePublish(savedMessage: string, onSaved?: () => void): Publishing {
  const shopify = useAppBridge()
  const fetcher = useFetcher<PublishReply>()
  const reply = fetcher.data
  // Once for each answer, whatever the callbacks of that moment are.
  useEffect(() => {
    if (!reply?.ok) return
    shopify.toast.show(savedMessage)
    onSaved?.()
  }, [reply])
  return {
    saving: fetcher.state !== 'idle',
    reply,
    publish: (document, basedOn, extra) =>
      fetcher.submit(
        {
          ...extra,
          document: JSON.stringify(document),
          basedOn: String(basedOn),
          ...(onSaved && { leaving: 'yes' }),
        },
        { method: 'post', action: '/app/program/publish' },
      ),
  }
}

/** A route's `shouldRevalidate`, as `keepUnanswered`; nor is a page read again that is about to be left after publishing. */
export const keepWhileLeaving: ShouldRevalidateFunction = (answered) => {
  const { formData, actionResult } = answered
  if (formData?.get('leaving') === 'yes' && (actionResult as PublishReply | undefined)?.ok) return false
  return keepUnanswered(answered)
}
