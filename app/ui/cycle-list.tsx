import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { BlockStack, Button, Card, Divider, InlineStack, Text } from '@shopify/polaris'
import { Fragment, useEffect } from 'react'

import type { ReplacementCycle } from '#app/retention/lifecycle.ts'
import { sayCycle, sayDays, type CycleReply } from '#app/ui/cycles.ts'
import { FormError } from '#app/ui/form-error.tsx'

/** How long what lasts, as the merchant has said it. */
export function CycleList({ cycles, titles }: { cycles: ReplacementCycle[]; titles: Record<string, string> }) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<CycleReply>()
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data, shopify])
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          What you have said
        </Text>
        {cycles.length === 0 ? (
          <Text as="p" tone="subdued">
            Nothing yet: every purchase lasts 12 months.
          </Text>
        ) : (
          cycles.map((cycle, place) => {
            const name = sayCycle(cycle, titles)
            return (
              <Fragment key={`${cycle.of} ${cycle.value}`}>
                {place > 0 && <Divider />}
                <InlineStack align="space-between" blockAlign="center" gap="300">
                  <BlockStack gap="050">
                    <Text as="p" fontWeight="semibold" breakWord>
                      {name}
                    </Text>
                    <Text as="p" tone="subdued">{`lasts ${sayDays(cycle.days)}`}</Text>
                  </BlockStack>
                  <Button
                    accessibilityLabel={`Remove: ${name}`}
                    loading={fetcher.state !== 'idle' && fetcher.formData?.get('value') === cycle.value}
                    onClick={() =>
                      fetcher.submit({ intent: 'remove', of: cycle.of, value: cycle.value }, { method: 'post' })
                    }
                  >
                    Remove
                  </Button>
                </InlineStack>
              </Fragment>
            )
          })
        )}
        <FormError text={fetcher.data?.ok === false ? fetcher.data.errors.form : null} />
        <Text as="p" variant="bodySm" tone="subdued">
          A product’s own time comes before its type’s, and that before its tags’.
        </Text>
      </BlockStack>
    </Card>
  )
}
