import { useNavigate } from '@remix-run/react'
import {
  BlockStack,
  Button,
  Card,
  DropZone,
  InlineError,
  InlineStack,
  List,
  Select,
  Text,
  TextField,
} from '@shopify/polaris'
import { useState } from 'react'

import { IMPORT_SOURCES } from '#app/loyalty/import-columns.ts'
import { saveFile } from '#app/ui/save-file.ts'

const OTHER = 'other'

type Trouble = { file?: string; name?: string }

/** Sends a file and opens its import's page; `trouble` is what is wrong with it, and with the name of the app it comes from. */
function useUpload(): { send: (from: string, file: File | null) => void; sending: boolean; trouble: Trouble } {
  const navigate = useNavigate()
  const [sending, setSending] = useState(false)
  const [trouble, setTrouble] = useState<Trouble>({})
  const send = async (from: string, file: File | null) => {
    setTrouble({
      ...(from === '' && { name: 'Say which app it is, as members may read it' }),
      ...(!file && { file: 'Choose the file first' }),
    })
    if (from === '' || !file) return
    setSending(true)
    const ask = new URLSearchParams({ source: from, name: file.name })
    // App Bridge puts the session token on requests to the app itself; the file goes as it is, whatever its size.
    const reply = await fetch(`/app/imports/upload?${ask}`, {
      method: 'POST',
      body: file,
      headers: { 'Content-Type': 'application/octet-stream' },
    }).catch(() => null)
    const answer = (await reply?.json().catch(() => null)) as { id?: string; error?: string } | null
    if (answer?.id) return navigate(`/app/imports/${answer.id}`)
    setSending(false)
    setTrouble({ file: answer?.error ?? 'The file could not be sent. Check your connection and try again.' })
  }
  return { send: (from, file) => void send(from, file), sending, trouble }
}

/** Chooses a file of another app and sends it; then its import's page opens. What is wrong with the file is told beside it. */
export function ImportUpload() {
  const { send, sending, trouble } = useUpload()
  const [source, setSource] = useState<string>(IMPORT_SOURCES[0])
  const [name, setName] = useState('')
  const [file, setFile] = useState<File | null>(null)
  return (
    <Card>
      <BlockStack gap="400">
        <BlockStack gap="100">
          <Text as="h2" variant="headingMd">
            Bring in a file
          </Text>
          <Text as="p" tone="subdued">
            Export your customers with their points from the other app as CSV. You see whom it brings and what it costs
            before anything is given, and can undo it afterwards.
          </Text>
        </BlockStack>
        <Select
          label="Where does it come from?"
          options={[
            ...IMPORT_SOURCES.map((app) => ({ label: app, value: app })),
            { label: 'Another app, or my own list', value: OTHER },
          ]}
          value={source}
          onChange={setSource}
        />
        {source === OTHER && (
          <TextField
            label="Name of the app"
            autoComplete="off"
            helpText="Members read it in their history: “Brought over from …”"
            value={name}
            onChange={setName}
            maxLength={50}
            error={trouble.name}
          />
        )}
        <FileChoice file={file} onChoose={setFile} error={trouble.file} />
        <InlineStack align="space-between" blockAlign="center" gap="200">
          <Button variant="plain" onClick={() => saveFile('members.csv', TEMPLATE, 'text/csv')}>
            Save an empty example
          </Button>
          <Button
            variant="primary"
            loading={sending}
            onClick={() => send(source === OTHER ? name.trim() : source, file)}
          >
            Check the file
          </Button>
        </InlineStack>
      </BlockStack>
    </Card>
  )
}

const TEMPLATE = 'email,points,tier,birthday,points expire on\r\n'

type FileChoiceProps = { file: File | null; onChoose: (file: File) => void; error: string | undefined }

function FileChoice({ file, onChoose, error }: FileChoiceProps) {
  return (
    <BlockStack gap="200">
      <DropZone
        id="import-file"
        label="CSV file"
        allowMultiple={false}
        accept=".csv,.tsv,.txt,text/csv"
        type="file"
        error={error !== undefined}
        onDrop={(files) => {
          if (files[0]) onChoose(files[0])
        }}
      >
        {file ? (
          <div style={{ minHeight: '7.5rem', display: 'grid', placeContent: 'center', padding: '1rem' }}>
            <BlockStack gap="100" inlineAlign="center">
              <Text as="p" fontWeight="medium" alignment="center" breakWord>
                {`${file.name} · ${Math.max(1, Math.round(file.size / 1024)).toLocaleString('en')} kB`}
              </Text>
              <Text as="p" variant="bodySm" tone="subdued">
                Choose or drop another one to change it
              </Text>
            </BlockStack>
          </div>
        ) : (
          <DropZone.FileUpload actionTitle="Choose file" actionHint="or drop it here: up to 20 MB and 200,000 lines" />
        )}
      </DropZone>
      {error && (
        <div role="alert">
          <InlineError message={error} fieldID="import-file" />
        </div>
      )}
    </BlockStack>
  )
}

/** What a file needs, for whoever makes one by hand. */
export function ImportHelp() {
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          What the file needs
        </Text>
        <List>
          <List.Item>A first line with the names of the columns; one line for each customer.</List.Item>
          <List.Item>The customer’s e-mail address or Shopify customer ID, and their points.</List.Item>
          <List.Item>If you like: tier, birthday, and the last day of the points.</List.Item>
          <List.Item>Customers must be in your Shopify store; others are listed for you and left out.</List.Item>
        </List>
        <Text as="p" tone="subdued">
          What stands in the file is forgotten as soon as it was brought in, and after 14 days in any case.
        </Text>
      </BlockStack>
    </Card>
  )
}
