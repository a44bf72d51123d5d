import { redirect } from '@remix-run/node'

/**
 * Where the library sends a request that names no shop. There is no field for a myshopify.com address here: App Store
 * requirement 2.3.1 has people install from Shopify only.
 */
export function loader() {
  return redirect('/')
}
