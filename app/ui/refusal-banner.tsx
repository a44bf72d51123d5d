import { Banner } from '@shopify/polaris'

/** Why what was asked for did not happen, in the server's words; stays until the next attempt. */
export function RefusalBanner({ children }: { children: string }) {
  return (
    <Banner tone="critical">
      <p>{children}</p>
    </Banner>
  )
}
