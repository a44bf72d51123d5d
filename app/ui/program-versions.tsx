import { Modal, TitleBar } from '@shopify/app-bridge-react'
import { Badge, BlockStack, Box, Button, Card, Divider, InlineStack, List, Text } from '@shopify/polaris'
import { useState } from 'react'

import { diff } from '#app/loyalty/diff.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { sayProblem } from '#app/ui/problem-words.ts'
import { findReasonAsked, OverrideReason, PublishRefusal } from '#app/ui/publish-refusal.tsx'
import { usePublish } from '#app/ui/use-publish.ts'
import { showInstant } from '#app/ui/words.ts'

type Version = { version: number; document: ProgramDocument; effectiveAt: number; note: string | null }

/** `by`: who published it, in words; null where that is not known. */
type ProgramVersionsProps = { versions: (Version & { by: string | null })[]; current: Version; timezone: string }

/** Every version with what it changed, newest first; any can be taken up again, as a new one. */
export function ProgramVersions({ versions, current, timezone }: ProgramVersionsProps) {
  const [asked, setAsked] = useState<Version>()
  return (
    <Card>
      <BlockStack gap="300">
        {versions.map((version, index) => (
          <BlockStack key={version.version} gap="300">
            {index > 0 && <Divider />}
            <InlineStack align="space-between" blockAlign="start" gap="200">
              <BlockStack gap="100">
                <InlineStack gap="200" blockAlign="center" align="start">
                  <Text as="h2" variant="headingSm">{`Version ${version.version}`}</Text>
                  {version.version === current.version && <Badge tone="success">In force</Badge>}
                </InlineStack>
                <Text as="p" variant="bodySm" tone="subdued">
                  {`For orders from ${showInstant(version.effectiveAt, timezone)}`}
                  {version.by && ` · saved by ${version.by}`}
                </Text>
                {version.note && (
                  <List>
                    {version.note.split('\n').map((line) => (
                      <List.Item key={line}>{line}</List.Item>
                    ))}
                  </List>
                )}
              </BlockStack>
              {version.version !== current.version && (
                <Button onClick={() => setAsked(version)} accessibilityLabel={`Use again: version ${version.version}`}>
                  Use again
                </Button>
              )}
            </InlineStack>
          </BlockStack>
        ))}
      </BlockStack>
      <UseAgain key={asked?.version} asked={asked} current={current} onClose={() => setAsked(undefined)} />
    </Card>
  )
}

type UseAgainProps = { asked: Version | undefined; current: Version; onClose: () => void }

/** Asks before an old version is published as a new one. It stays open until that is done, and says why where it is refused. */
function UseAgain({ asked, current, onClose }: UseAgainProps) {
  const [overrideReason, setOverrideReason] = useState('')
  const { publish, saving, reply } = usePublish('Version taken up again', onClose)
  const reasonAsked = findReasonAsked(reply)
  return (
    <Modal id="use-again" open={asked !== undefined} onHide={onClose}>
      <Box padding="400">
        {asked && (
          <BlockStack gap="400">
            <Changes from={current} to={asked} />
            {reasonAsked && <OverrideReason value={overrideReason} onChange={setOverrideReason} error={reasonAsked} />}
            <PublishRefusal
              reply={reply}
              title={`Version ${asked.version} cannot be used again as it is`}
              say={(problem) => sayProblem(problem, asked.document)}
            />
          </BlockStack>
        )}
      </Box>
      <TitleBar title={`Use version ${asked?.version ?? ''} again`}>
        <button
          {...{ variant: 'primary' }}
          disabled={saving}
          onClick={() => asked && publish(asked.document, current.version, { overrideReason })}
        >
          Use it from now on
        </button>
        <button onClick={onClose}>Cancel</button>
      </TitleBar>
    </Modal>
  )
}

function Changes({ from, to }: { from: Version; to: Version }) {
  const changes = diff(from.document, to.document)
  return (
    <BlockStack gap="300">
      <Text as="p">Compared with the version in force:</Text>
      {changes.length === 0 ? (
        <Text as="p">Nothing is different.</Text>
      ) : (
        <List>
          {changes.map((change) => (
            <List.Item key={change}>{change}</List.Item>
          ))}
        </List>
      )}
      <Text as="p" tone="subdued">
        Orders already placed keep what they earned.
      </Text>
    </BlockStack>
  )
}
