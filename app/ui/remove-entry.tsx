import { Modal, TitleBar } from '@shopify/app-bridge-react'
import { useNavigate } from '@remix-run/react'
import { BlockStack, Box, Text } from '@shopify/polaris'

import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { FormError } from '#app/ui/form-error.tsx'
import { sayProblem } from '#app/ui/problem-words.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import { usePublish, type PublishReply } from '#app/ui/use-publish.ts'

type RemoveEntryProps = {
  open: boolean
  onClose: () => void
  list: 'rewards' | 'campaigns'
  entryId: string
  title: string
  text: string
}

/** Asks, then publishes the program without one of its rewards or campaigns, and goes back to the list. Other unsaved changes are not taken along. */
export function RemoveEntry({ open, onClose, list, entryId, title, text }: RemoveEntryProps) {
  const { published } = useProgramDraft()
  const navigate = useNavigate()
  const { publish, saving, reply } = usePublish('Removed', () => navigate(`/app/${list}`))
  const document = published.document as ProgramDocument
  const entries: { id: string }[] = document[list]
  const without = { ...document, [list]: entries.filter((entry) => entry.id !== entryId) }
  return (
    <Modal id={`remove-${list}`} open={open} onHide={onClose}>
      <Box padding="400">
        <BlockStack gap="300">
          <Text as="p">{text}</Text>
          <FormError text={sayRefused(reply, without)} />
        </BlockStack>
      </Box>
      <TitleBar title={title}>
        <button
          {...{ variant: 'primary', tone: 'critical' }}
          disabled={saving}
          onClick={() => publish(without, published.version)}
        >
          Remove
        </button>
        <button onClick={onClose}>Keep it</button>
      </TitleBar>
    </Modal>
  )
}

function sayRefused(reply: PublishReply | undefined, document: unknown): string | null {
  if (!reply || reply.ok) return null
  if (reply.reason === 'changed_meanwhile') return 'Somebody else saved the program meanwhile. Load the page again.'
  return reply.problems.map((problem) => sayProblem(problem, document)).join('; ')
}
