import { BlockStack, Card, InlineGrid, SkeletonBodyText, SkeletonDisplayText, SkeletonPage } from '@shopify/polaris'

/** The outline of a page while it is fetched. */
export function PageLoading() {
  return (
    <SkeletonPage primaryAction>
      <BlockStack gap="400">
        <InlineGrid columns={{ xs: 1, sm: 2, md: 4 }} gap="400">
          {[1, 2, 3, 4].map((box) => (
            <Card key={box}>
              <BlockStack gap="300">
                <SkeletonDisplayText size="small" />
                <SkeletonBodyText lines={1} />
              </BlockStack>
            </Card>
          ))}
        </InlineGrid>
        <Card>
          <SkeletonBodyText lines={8} />
        </Card>
      </BlockStack>
    </SkeletonPage>
  )
}

/** A page that could not be made, outside Polaris' provider, which may be what failed. */
export function PageFailed() {
  return (
    <main style={{ font: '16px/1.5 system-ui, sans-serif', maxWidth: '36rem', margin: '4rem auto', padding: '0 1rem' }}>
      <h1 style={{ fontSize: '1.25rem' }}>This page could not be opened</h1>
      <p>
        Nothing was lost: orders and points keep being worked on meanwhile. Reload the page; if it fails again, look at
        Messages for anything set aside.
      </p>
    </main>
  )
}
