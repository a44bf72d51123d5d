import { Banner, BlockStack, Button, Card, DropZone, InlineStack, List, Text } from '@shopify/polaris'
import { useState } from 'react'

import { diff } from '#app/loyalty/diff.ts'
import { parseProgram, type ParsedProgram } from '#app/loyalty/parse-program.ts'
import type { Problem } from '#app/loyalty/problems.ts'
import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { findReasonAsked, OverrideReason, PublishRefusal } from '#app/ui/publish-refusal.tsx'
import { usePublish } from '#app/ui/use-publish.ts'

type ProgramFileProps = { current: { version: number; document: ProgramDocument } | null; fileName: string }

type ReadFile = { name: string; parsed: ParsedProgram }

/** `turn` tells a file from one of the same name that was chosen before: its answer is not for this one. */
type Chosen = ReadFile & { turn: number }

/** The program as a file: to keep, to try in the simulator, to carry to another store. What an import changes is shown before it counts. */
export function ProgramFile({ current, fileName }: ProgramFileProps) {
  const [chosen, setChosen] = useState<Chosen>()
  const choose = (file: ReadFile | undefined) =>
    setChosen((before) => file && { ...file, turn: (before?.turn ?? 0) + 1 })
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Text as="h2" variant="headingMd">
            As a file
          </Text>
          {current && <Button onClick={() => download(current.document, fileName)}>Export</Button>}
        </InlineStack>
        <DropZone
          label="Import a program"
          accept="application/json,.json"
          allowMultiple={false}
          variableHeight
          onDropAccepted={(files) => void readFile(files[0], current?.document).then(choose)}
        >
          <DropZone.FileUpload actionTitle="Choose a file" actionHint="program.json, as exported here" />
        </DropZone>
        {chosen && !chosen.parsed.ok && <Problems name={chosen.name} problems={chosen.parsed.problems} />}
        {chosen?.parsed.ok && (
          <ImportPreview
            key={chosen.turn}
            name={chosen.name}
            document={chosen.parsed.document}
            current={current}
            onCancel={() => setChosen(undefined)}
          />
        )}
      </BlockStack>
    </Card>
  )
}

/** Whoever wrote a file knows its fields by their places. */
function sayPlace({ field, message }: Problem): string {
  return field ? `${field} ${message}` : message
}

function Problems({ name, problems }: { name: string; problems: readonly Problem[] }) {
  return (
    <Banner tone="critical" title={`${name} cannot be used`}>
      <List>
        {problems.map((problem) => (
          <List.Item key={problem.field + problem.message}>{sayPlace(problem)}</List.Item>
        ))}
      </List>
    </Banner>
  )
}

type ImportPreviewProps = {
  name: string
  document: ProgramDocument
  current: ProgramFileProps['current']
  onCancel: () => void
}

function ImportPreview({ name, document, current, onCancel }: ImportPreviewProps) {
  const [overrideReason, setOverrideReason] = useState('')
  const { publish, saving, reply } = usePublish('Program imported')
  const reasonAsked = findReasonAsked(reply)
  const version = current?.version ?? 0
  const changes = current ? diff(current.document, document) : [`The program “${document.name}” begins`]
  if (reply?.ok || changes.length === 0) {
    return (
      <Text as="p" tone="subdued">
        The file says the same as the program that is in force.
      </Text>
    )
  }
  return (
    <BlockStack gap="300">
      <Text as="h3" variant="headingSm">
        Importing it changes
      </Text>
      <List>
        {changes.map((change) => (
          <List.Item key={change}>{change}</List.Item>
        ))}
      </List>
      {reasonAsked && <OverrideReason value={overrideReason} onChange={setOverrideReason} error={reasonAsked} />}
      <PublishRefusal reply={reply} title={`${name} cannot be used`} say={sayPlace} />
      <InlineStack gap="200">
        <Button variant="primary" loading={saving} onClick={() => publish(document, version, { overrideReason })}>
          Publish it
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </InlineStack>
    </BlockStack>
  )
}

async function readFile(file: File | undefined, before: ProgramDocument | undefined): Promise<ReadFile | undefined> {
  if (!file) return undefined
  try {
    return { name: file.name, parsed: parseProgram(JSON.parse(await file.text()) as unknown, before) }
  } catch {
    const problems = [{ path: [], field: '', message: 'The file is not JSON.' }]
    return { name: file.name, parsed: { ok: false, reason: 'invalid_program', problems } }
  }
}

/** Gives the document to the browser to save. It is on the page already, so no request is needed. */
function download(document: ProgramDocument, fileName: string) {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: 'application/json' }))
  const link = Object.assign(window.document.createElement('a'), { href: url, download: fileName })
  link.click()
  URL.revokeObjectURL(url)
}
