import { useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'

import { formatPath, parseProgram, type ParsedProgram, type Problem } from '#app/loyalty/program.ts'
import { isSameDocument, readPath, writePath, type Path } from '#app/ui/draft.ts'
import { UnsavedChanges } from '#app/ui/unsaved-changes.tsx'

/** What the action of app.program.publish answers. */
export type PublishReply =
  | { ok: true; version: number }
  | { ok: false; reason: 'invalid_program'; problems: readonly Problem[] }
  | { ok: false; reason: 'changed_meanwhile'; version: number }

/** The published document a page starts from; `version` 0 is a proposal that was never published. */
export type PublishedProgram = { version: number; document: unknown }

/** The program while a page edits it. */
export type ProgramDraft = {
  document: unknown
  /** The draft as the engine would read it, or its problems; none of them is shown before the first attempt to save. */
  parsed: ParsedProgram
  published: PublishedProgram
  dirty: boolean
  saving: boolean
  /** Problems of the last attempt to save, without those in fields changed since. */
  problems: readonly Problem[]
  /** Set when somebody else published between opening the page and saving. */
  overtaken: boolean
  read: (path: Path) => unknown
  write: (path: Path, value: unknown) => void
  replace: (document: unknown) => void
  errorAt: (path: Path) => string | undefined
  /** What is sent along with the document: the reason for going past the discount-fatigue guard. */
  extra: Record<string, string>
  setExtra: (extra: Record<string, string>) => void
  save: () => void
  discard: () => void
}

const DraftContext = createContext<ProgramDraft | null>(null)

type ProgramDraftProviderProps = {
  /** Of the save bar, unique on the page. */
  id: string
  published: PublishedProgram
  /** What the form begins with where that is not the published document: a reward to be added, for instance. */
  initial?: unknown
  /** Said in a toast when it worked. */
  savedMessage: string
  onSaved?: () => void
  /** For a page whose subject is gone when the draft is: a reward that was never saved. */
  onDiscarded?: () => void
  children: ReactNode
}

/**
 * Holds the program document while a page edits it, and saves it as the next version. All editors (program, tiers, rewards,
 * campaigns) stand on this, so that one schema judges everything and one save bar asks.
 */
export function ProgramDraftProvider(props: ProgramDraftProviderProps) {
  // A new version (ours, or another's once loaded) is the new ground: the draft starts over on it.
  return <DraftOnVersion key={props.published.version} {...props} />
}

function DraftOnVersion({ id, children, ...rest }: ProgramDraftProviderProps) {
  const draft = useDraft(rest)
  return (
    <DraftContext.Provider value={draft}>
      <UnsavedChanges id={id} dirty={draft.dirty} saving={draft.saving} onSave={draft.save} onDiscard={draft.discard} />
      {children}
    </DraftContext.Provider>
  )
}

/** The draft of the page's ProgramDraftProvider. Throws outside of one. */
export function useProgramDraft(): ProgramDraft {
  const draft = useContext(DraftContext)
  if (!draft) throw new Error('useProgramDraft needs a ProgramDraftProvider around it')
  return draft
}

type DraftOptions = Omit<ProgramDraftProviderProps, 'id' | 'children'>

function useDraft({ published, initial, savedMessage, onSaved, onDiscarded }: DraftOptions): ProgramDraft {
  const [document, setDocument] = useState(initial ?? published.document)
  const [touched, setTouched] = useState<readonly string[]>([])
  const [extra, setExtra] = useState<Record<string, string>>({})
  const publishing = usePublishing(published, { document, extra }, () => setTouched([]))
  const parsed = useMemo(() => parseProgram(document), [document])
  const { reply, clear } = publishing

  useSaved(reply, savedMessage, onSaved)
  const write = useCallback((path: Path, value: unknown) => {
    setDocument((before: unknown) => writePath(before, path, value))
    setTouched((before) => [...before, formatPath(path)])
  }, [])
  const problems =
    reply && !reply.ok && reply.reason === 'invalid_program'
      ? reply.problems.filter((problem) => !touched.some((path) => isWithin(problem.field, path)))
      : []

  return {
    document,
    parsed,
    published,
    // Once it is saved, nothing is left to lose: the page may go on before the new version has been read back.
    dirty: !reply?.ok && !isSameDocument(document, published.document),
    saving: publishing.saving,
    problems,
    overtaken: reply?.ok === false && reply.reason === 'changed_meanwhile',
    read: (path) => readPath(document, path),
    write,
    replace: setDocument,
    errorAt: (path) => problems.find((problem) => problem.field === formatPath(path))?.message,
    extra,
    setExtra,
    save: publishing.save,
    discard: () => {
      setDocument(published.document)
      clear()
      onDiscarded?.()
    },
  }
}

/** True for a place itself and for what is inside it: "tiers.levels[0].name" is within "tiers.levels". */
function isWithin(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`)
}

/** Sends the document and remembers the answer until it is cleared or another is asked for. */
type Sent = { document: unknown; extra: Record<string, string> }

function usePublishing(published: PublishedProgram, { document, extra }: Sent, onSend: () => void) {
  const fetcher = useFetcher<PublishReply>()
  const [forgotten, setForgotten] = useState<PublishReply>()
  const clear = useCallback(() => setForgotten(fetcher.data), [fetcher.data])
  return {
    saving: fetcher.state !== 'idle',
    reply: fetcher.data === forgotten ? undefined : fetcher.data,
    clear,
    save: () => {
      onSend()
      fetcher.submit(
        { ...extra, document: JSON.stringify(document), basedOn: String(published.version) },
        { method: 'post', action: '/app/program/publish' },
      )
    },
  }
}

function useSaved(reply: PublishReply | undefined, savedMessage: string, onSaved?: () => void) {
  const shopify = useAppBridge()
  useEffect(() => {
    if (!reply?.ok) return
    shopify.toast.show(savedMessage)
    onSaved?.()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [reply])
}
