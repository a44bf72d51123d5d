import { BlockStack, Button, Card, InlineGrid, Text } from '@shopify/polaris'
import { useState, type ReactNode } from 'react'

import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

type Template = { id: string; title: string; promise: string; document: ProgramDocument }

/** Before the first version: a choice of proposals. Picking one fills the form; nothing is in force until it is saved. */
export function ProgramStart({ templates, children }: { templates: Template[]; children: ReactNode }) {
  const draft = useProgramDraft()
  const [picked, setPicked] = useState(false)
  if (draft.published.version > 0 || (picked && draft.document !== null)) return children
  return (
    <BlockStack gap="400">
      <Text as="p">
        Start from one of these. You see everything before it is in force, and can change it at any time.
      </Text>
      <InlineGrid columns={{ xs: 1, md: 3 }} gap="400">
        {templates.map((template) => (
          <Card key={template.id}>
            <BlockStack gap="300">
              <Text as="h2" variant="headingMd">
                {template.title}
              </Text>
              <Text as="p">{template.promise}</Text>
              <Button
                onClick={() => {
                  draft.replace(template.document)
                  setPicked(true)
                }}
                accessibilityLabel={`Start from this: ${template.title}`}
              >
                Start from this
              </Button>
            </BlockStack>
          </Card>
        ))}
      </InlineGrid>
    </BlockStack>
  )
}
