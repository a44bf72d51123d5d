import { isRouteErrorResponse, useRouteError } from '@remix-run/react'
import { Button, Page } from '@shopify/polaris'
import { boundary } from '@shopify/shopify-app-remix/server'

import { NothingYet } from '#app/ui/nothing-yet.tsx'

/**
 * The error state of an admin page, inside the app's frame so that the navigation stays. Refusals of ours carry
 * `{ message }`; everything else that is a Response belongs to Shopify's sign-in steps and is passed on as it is.
 */
export function PageError() {
  const error = useRouteError()
  if (isRouteErrorResponse(error) && error.status < 500) {
    const { message } = (typeof error.data === 'object' && error.data !== null ? error.data : {}) as {
      message?: string
    }
    if (!message && error.status !== 404) return boundary.error(error)
    return (
      <Page title="Nothing here" backAction={{ content: 'Home', url: '/app' }}>
        <NothingYet heading={message ?? 'There is no such page'} action={<Button url="/app">Go to Home</Button>}>
          It may have been removed, or the address is not quite right.
        </NothingYet>
      </Page>
    )
  }
  // What a request is rejected with where it does not arrive is App Bridge's affair, and so has no fixed form.
  const isOffline = typeof navigator !== 'undefined' && !navigator.onLine
  return (
    <Page title="This page could not be opened" backAction={{ content: 'Home', url: '/app' }}>
      <NothingYet
        heading={isOffline ? 'You are not connected to the internet' : 'Something went wrong on our side'}
        action={<Button onClick={() => location.reload()}>Try again</Button>}
      >
        Nothing was lost: orders and points keep being worked on meanwhile.
      </NothingYet>
    </Page>
  )
}
