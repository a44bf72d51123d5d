import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { Badge, BlockStack, Button, Card, InlineStack, Text } from '@shopify/polaris'
import { useEffect } from 'react'

import { FormError } from '#app/ui/form-error.tsx'
import { showCount } from '#app/ui/words.ts'

type RemindersCardProps = {
  on: boolean
  /** Reminders of the last 30 days. */
  queued: number
  /** Whether points expire at all in the program. */
  expires: boolean
}

/** Whether members hear before points expire, and how they do. It is no part of the program: it counts at once. */
export function RemindersCard({ on, queued, expires }: RemindersCardProps) {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data, shopify])
  const toggle = () => fetcher.submit({ on: String(!on) }, { method: 'post', action: '/app/program/reminders' })
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd">
            Reminders
          </Text>
          <Badge tone={on && expires ? 'success' : undefined}>{on ? 'On' : 'Off'}</Badge>
        </InlineStack>
        {expires ? (
          <>
            <Text as="p">
              Members are reminded 30 days and 3 days before points expire, by your own e-mail: make a workflow in
              Shopify Flow with the trigger “Points about to expire”. Without one, nothing is sent.
            </Text>
            <Text as="p" tone="subdued">
              {queued === 0
                ? 'No points were about to expire in the last 30 days.'
                : `${showCount(queued)} ${queued === 1 ? 'reminder' : 'reminders'} in the last 30 days.`}
            </Text>
          </>
        ) : (
          <Text as="p">Points do not expire in your program, so there is nothing to remind of.</Text>
        )}
        <FormError text={fetcher.data?.ok === false ? fetcher.data.message : null} />
        <InlineStack>
          <Button onClick={toggle} loading={fetcher.state !== 'idle'}>
            {on ? 'Turn reminders off' : 'Turn reminders on'}
          </Button>
        </InlineStack>
      </BlockStack>
    </Card>
  )
}
