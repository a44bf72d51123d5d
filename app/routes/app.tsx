import type { HeadersFunction, LinksFunction, LoaderFunctionArgs } from '@remix-run/node'
import {
  isRouteErrorResponse,
  Link,
  Outlet,
  useLoaderData,
  useLocation,
  useNavigation,
  useRouteError,
} from '@remix-run/react'
import { NavMenu, useAppBridge } from '@shopify/app-bridge-react'
import polarisStyles from '@shopify/polaris/build/esm/styles.css?url'
import { AppProvider } from '@shopify/shopify-app-remix/react'
import { boundary } from '@shopify/shopify-app-remix/server'
import { useEffect, useState } from 'react'

import { env } from '#app/env.server.ts'
import { authenticate } from '#app/shopify.server.ts'
import { useFormRoutes } from '#app/ui/keep-page.ts'
import { PageFailed, PageLoading } from '#app/ui/page-states.tsx'
import printStyles from '#app/ui/print.css?url'

export { keepUnanswered as shouldRevalidate } from '#app/ui/keep-page.ts'

export const links: LinksFunction = () => [
  { rel: 'stylesheet', href: polarisStyles },
  { rel: 'stylesheet', href: printStyles, media: 'print' },
]

/** How long a page may take before its outline is shown instead of the old page, in milliseconds. */
const PATIENCE_MS = 150

export async function loader({ request }: LoaderFunctionArgs) {
  await authenticate.admin(request)
  return { apiKey: env().SHOPIFY_API_KEY }
}

/** The frame around every admin page: navigation, Polaris, and the outline shown while the next page is fetched. */
export default function App() {
  const { apiKey } = useLoaderData<typeof loader>()
  const waiting = useWaiting()
  useFormRoutes()
  return (
    // root.tsx has put App Bridge into the head already; `isEmbeddedApp` here would only add its script a second time.
    <AppProvider isEmbeddedApp={false} apiKey={apiKey}>
      <NavMenu>
        <Link to="/app" rel="home">
          Home
        </Link>
        <Link to="/app/members">Members</Link>
        <Link to="/app/program">Program</Link>
        <Link to="/app/tiers">Tiers</Link>
        <Link to="/app/rewards">Rewards</Link>
        <Link to="/app/campaigns">Campaigns</Link>
        <Link to="/app/retention">Retention</Link>
        <Link to="/app/messages">Messages</Link>
      </NavMenu>
      {waiting && <PageLoading />}
      <main hidden={waiting} aria-label="Perennial">
        <Outlet />
      </main>
    </AppProvider>
  )
}

/** True once another page has been on its way for longer than PATIENCE_MS; Shopify's own bar shows from the first moment. */
function useWaiting(): boolean {
  const shopify = useAppBridge()
  const navigation = useNavigation()
  const { pathname } = useLocation()
  const leaving = navigation.state === 'loading' && navigation.location.pathname !== pathname
  const [waiting, setWaiting] = useState(false)
  useEffect(() => {
    shopify.loading(leaving)
    if (!leaving) return
    const timer = setTimeout(() => setWaiting(true), PATIENCE_MS)
    return () => {
      clearTimeout(timer)
      setWaiting(false)
    }
  }, [leaving, shopify])
  return waiting && leaving
}

/** Answers of the library's sign-in steps are its own pages; anything else that failed is told in our words. */
export function ErrorBoundary() {
  const error = useRouteError()
  // Shopify away while a token was asked for: the library's answer to that has no words at all.
  if (isRouteErrorResponse(error) && error.status >= 500) return <PageFailed />
  try {
    return boundary.error(error)
  } catch {
    return <PageFailed />
  }
}

export const headers: HeadersFunction = (headersArgs) => boundary.headers(headersArgs)
