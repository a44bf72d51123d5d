import {
  isRouteErrorResponse,
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useLoaderData,
  useRouteError,
} from '@remix-run/react'
import type { LoaderFunctionArgs } from '@remix-run/node'
import type { ReactNode } from 'react'

import { env } from '#app/env.server.ts'

const APP_BRIDGE_URL = 'https://cdn.shopify.com/shopifycloud/app-bridge.js'

/** What the document's head needs. The API key is public: it is the `client_id` of shopify.app.toml. */
export function loader({ request }: LoaderFunctionArgs) {
  const embedded = new URL(request.url).pathname.startsWith('/app')
  const { SHOPIFY_API_KEY: apiKey, APP_BRIDGE_URL: other } = env()
  return { apiKey, appBridgeUrl: embedded ? (other ?? APP_BRIDGE_URL) : null }
}

/** The head never changes while somebody works in the app, so its data are read once. */
export const shouldRevalidate = () => false

export default function App() {
  const { apiKey, appBridgeUrl } = useLoaderData<typeof loader>()
  return (
    <Document
      firstScript={
        // Built for Shopify 3.1.1: App Bridge is the first script of every embedded document, in its head, not deferred.
        appBridgeUrl && <script src={appBridgeUrl} data-api-key={apiKey} suppressHydrationWarning />
      }
    >
      <Outlet />
    </Document>
  )
}

/** What is left when a page outside the admin, or the admin's own frame, could not be made. */
export function ErrorBoundary() {
  const error = useRouteError()
  const missing = isRouteErrorResponse(error) && error.status === 404
  return (
    <Document firstScript={null}>
      <main
        style={{ font: '16px/1.5 system-ui, sans-serif', maxWidth: '36rem', margin: '4rem auto', padding: '0 1rem' }}
      >
        <h1 style={{ fontSize: '1.25rem' }}>{missing ? 'There is no page here' : 'Something went wrong'}</h1>
        <p>
          {missing
            ? 'Open Perennial from the Apps menu of your Shopify admin.'
            : 'Nothing was lost. Try again in a moment; points and orders keep being worked on meanwhile.'}
        </p>
      </main>
    </Document>
  )
}

function Document({ firstScript, children }: { firstScript: ReactNode; children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {firstScript}
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  )
}
