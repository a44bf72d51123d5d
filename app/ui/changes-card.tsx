import { BlockStack, Card, List, Text } from '@shopify/polaris'

import { diff } from '#app/loyalty/diff.ts'
import type { ProgramDocument } from '#app/loyalty/program.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

/** What saving would change, in words. Says so too where nothing would. */
export function ChangesCard() {
  const { parsed, published, dirty } = useProgramDraft()
  const changes =
    parsed.ok && published.version > 0 ? diff(published.document as ProgramDocument, parsed.document) : null
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
            {parsed.ok ? 'The program begins.' : 'Something in the form is not complete yet.'}
          </Text>
        )}
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
