import type { LoaderFunctionArgs } from '@remix-run/node'
import { useLoaderData } from '@remix-run/react'
import { Page, Text } from '@shopify/polaris'

import { requireMerchant } from '#app/shopify.server.ts'

export async function loader({ request }: LoaderFunctionArgs) {
  const { shop } = await requireMerchant(request)
  return { name: shop.name }
}

export default function Home() {
  const { name } = useLoaderData<typeof loader>()
  return (
    <Page title="Perennial">
      <Text as="p">{name}</Text>
    </Page>
  )
}
