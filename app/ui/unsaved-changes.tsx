import { useBlocker } from '@remix-run/react'
import { SaveBar, useAppBridge } from '@shopify/app-bridge-react'
import { useEffect } from 'react'

type UnsavedChangesProps = {
  /** Unique on the page. */
  id: string
  dirty: boolean
  saving: boolean
  onSave: () => void
  onDiscard: () => void
}

/**
 * Shopify's save bar over a form, shown while there is something to save. While it shows, links inside the app ask first,
 * and so does closing the tab. Save through a fetcher: a navigation would be held up by this very bar.
 */
export function UnsavedChanges({ id, dirty, saving, onSave, onDiscard }: UnsavedChangesProps) {
  const shopify = useAppBridge()
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => dirty && currentLocation.pathname !== nextLocation.pathname,
  )

  useEffect(() => {
    if (blocker.state !== 'blocked') return
    if (!dirty) return blocker.reset()
    // Resolves only when the merchant decides to leave; staying leaves the promise open, and the next link asks again.
    void shopify.saveBar.leaveConfirmation().then(() => blocker.proceed?.())
  }, [blocker, dirty, shopify])

  useEffect(() => {
    if (!dirty) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [dirty])

  return (
    <SaveBar id={id} open={dirty}>
      {/* The element takes plain buttons and reads `variant` and `loading` from them (App Bridge, ui-save-bar). */}
      <button {...{ variant: 'primary', loading: saving ? '' : undefined }} onClick={onSave} disabled={saving}>
        Save
      </button>
      <button onClick={onDiscard} disabled={saving}>
        Discard
      </button>
    </SaveBar>
  )
}
