import { Banner, BlockStack, Button, Card, DropZone, InlineStack, List, Text } from '@shopify/polaris'
import { useState } from 'react'

import { diff } from '#app/loyalty/diff.ts'
import { parseProgram, type ParsedProgram, type ProgramDocument } from '#app/loyalty/program.ts'
import { usePublish } from '#app/ui/use-publish.ts'

type ProgramFileProps = { current: { version: number; document: ProgramDocument } | null; fileName: string }

type Chosen = { name: string; parsed: ParsedProgram }

/** The program as a file: to keep, to try in the simulator, to carry to another store. What an import changes is shown before it counts. */
export function ProgramFile({ current, fileName }: ProgramFileProps) {
  const [chosen, setChosen] = useState<Chosen>()
  const { publish, saving, reply } = usePublish('Program imported')
  const refused = reply && !reply.ok && reply.reason === 'invalid_program' ? reply.problems : []
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
          onDropAccepted={(files) => void readFile(files[0]).then(setChosen)}
        >
          <DropZone.FileUpload actionTitle="Choose a file" actionHint="program.json, as exported here" />
        </DropZone>
        {chosen && !chosen.parsed.ok && <Problems name={chosen.name} problems={chosen.parsed.problems} />}
        {refused.length > 0 && <Problems name={chosen?.name ?? 'The file'} problems={refused} />}
        {chosen?.parsed.ok && (
          <ImportPreview
            document={chosen.parsed.document}
            current={current}
            saving={saving}
            done={reply?.ok === true}
            onImport={(document) => publish(document, current?.version ?? 0)}
            onCancel={() => setChosen(undefined)}
          />
        )}
      </BlockStack>
    </Card>
  )
}

function Problems({ name, problems }: { name: string; problems: readonly { field: string; message: string }[] }) {
  return (
    <Banner tone="critical" title={`${name} cannot be used`}>
      <List>
        {problems.map(({ field, message }) => (
          <List.Item key={field + message}>{field ? `${field} ${message}` : message}</List.Item>
        ))}
      </List>
    </Banner>
  )
}

type ImportPreviewProps = {
  document: ProgramDocument
  current: ProgramFileProps['current']
  saving: boolean
  done: boolean
  onImport: (document: ProgramDocument) => void
  onCancel: () => void
}

function ImportPreview({ document, current, saving, done, onImport, onCancel }: ImportPreviewProps) {
  const changes = current ? diff(current.document, document) : [`The program “${document.name}” begins`]
  if (done || changes.length === 0) {
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
      <InlineStack gap="200">
        <Button variant="primary" loading={saving} onClick={() => onImport(document)}>
          Publish it
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </InlineStack>
    </BlockStack>
  )
}

async function readFile(file: File | undefined): Promise<Chosen | undefined> {
  if (!file) return undefined
  try {
    return { name: file.name, parsed: parseProgram(JSON.parse(await file.text()) as unknown) }
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
