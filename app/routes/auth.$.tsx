import type { LoaderFunctionArgs } from '@remix-run/node'

import { authenticate } from '#app/shopify.server.ts'

/** The library's own steps under /auth (the page that asks App Bridge for a session token, and leaving the frame). */
export async function loader({ request }: LoaderFunctionArgs) {
  await authenticate.admin(request)
  return null
}
