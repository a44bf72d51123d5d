import { BlockStack, Card, List, Text } from '@shopify/polaris'

import { describeBeginning, diff } from '#app/loyalty/diff.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

/** What saving would change, in words. Says so too where nothing would. */
export function ChangesCard() {
  const { parsed, published, dirty } = useProgramDraft()
  const begins = published.version === 0
  const changes = !parsed.ok
    ? null
    : begins
      ? describeBeginning(parsed.document)
      : diff(published.document as ProgramDocument, parsed.document)
  return (
    <Card>
      <BlockStack gap="200">
        <Text as="h2" variant="headingMd">
          What saving changes
        </Text>
        {!dirty && (
          <Text as="p" tone="subdued">
            Nothing yet. Orders already placed keep what they earned, whatever you change.
          </Text>
        )}
        {dirty && changes === null && (
          <Text as="p" tone="subdued">
            Something in the form is not complete yet.
          </Text>
        )}
        {dirty && changes && begins && <Text as="p">The program begins, with all of this:</Text>}
        {dirty && changes && (
          <List>
            {changes.map((change) => (
              <List.Item key={change}>{change}</List.Item>
            ))}
          </List>
        )}
        {dirty && (
          <Text as="p" variant="bodySm" tone="subdued">
            In force for orders placed from then on. Orders before keep the rules of their day.
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}
