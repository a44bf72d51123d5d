import { redirect, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node'

export const meta: MetaFunction = () => [{ title: 'Perennial: loyalty for Shopify' }]

/** Shopify opens the app at its root with the shop in the query; everyone else reads where to find it. */
export function loader({ request }: LoaderFunctionArgs) {
  const { search, searchParams } = new URL(request.url)
  if (searchParams.has('shop')) return redirect(`/app${search}`)
  return null
}

export default function Index() {
  return (
    <main style={{ font: '16px/1.5 system-ui, sans-serif', maxWidth: '36rem', margin: '4rem auto', padding: '0 1rem' }}>
      <h1 style={{ fontSize: '1.5rem' }}>Perennial</h1>
      <p>Points, tiers and limited-time discounts for Shopify stores.</p>
      <p>
        Perennial lives inside the Shopify admin. Install it from the Shopify App Store, then open it from the Apps menu
        of your store.
      </p>
    </main>
  )
}
