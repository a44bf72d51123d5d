import { BlockStack, Button, Card, InlineStack, Text } from '@shopify/polaris'

import { saveFile } from '#app/ui/save-file.ts'
import { showDay } from '#app/ui/words.ts'

/** A customer who asked what is kept of them; `answer` is that, as JSON text. */
export type DataRequest = { id: string; customer: string; requestedAt: number; answer: string }

type DataRequestsCardProps = { requests: DataRequest[]; timezone: string }

/** Requests by customers for their data. The answer is ready; handing it over is the shop's, within 30 days. */
export function DataRequestsCard({ requests, timezone }: DataRequestsCardProps) {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Customers who asked for their data
        </Text>
        <Text as="p" tone="subdued">
          Save what Perennial keeps of them and send it on within 30 days of the request.
        </Text>
        {requests.map(({ id, customer, requestedAt, answer }) => (
          <InlineStack key={id} align="space-between" blockAlign="center" gap="200">
            <Text as="p">{`Customer ${customer}, asked on ${showDay(requestedAt, timezone)}`}</Text>
            <Button
              accessibilityLabel={`Save data of customer ${customer}`}
              onClick={() => saveFile(`customer-${customer}.json`, answer, 'application/json')}
            >
              Save data
            </Button>
          </InlineStack>
        ))}
      </BlockStack>
    </Card>
  )
}
