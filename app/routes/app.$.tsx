import { data, type LoaderFunctionArgs } from '@remix-run/node'

import { authenticate } from '#app/shopify.server.ts'

export { PageError as ErrorBoundary } from '#app/ui/page-error.tsx'

/** Every address of the admin that is no page: said inside the frame, with the way home. */
export async function loader({ request }: LoaderFunctionArgs) {
  await authenticate.admin(request)
  throw data({ message: 'There is no such page' }, 404)
}

/** Never shown; without it the answer would be bare data and not a page. */
export default function NoPage() {
  return null
}
