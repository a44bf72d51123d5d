import { useRevalidator } from '@remix-run/react'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'

import { parseProgram, type ParsedProgram } from '#app/loyalty/parse-program.ts'
import { formatPath, type Problem } from '#app/loyalty/problems.ts'
import { isSameDocument, readPath, writePath, type Path } from '#app/ui/draft.ts'
import { sayBeside } from '#app/ui/problem-words.ts'
import { UnsavedChanges } from '#app/ui/unsaved-changes.tsx'
import { usePublish, type Publishing, type PublishReply } from '#app/ui/use-publish.ts'

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
  /** Gives an overtaken draft up for the newer version. */
  loadNewer: () => void
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
export function ProgramDraftProvider({ savedMessage, onSaved, published, ...props }: ProgramDraftProviderProps) {
  // Above the draft: the page may have read the new version back before React comes to tell that it was saved.
  const publishing = usePublish(savedMessage, onSaved)
  // A refused draft stays on its version, though the page has read the newer one by itself, until the merchant lets it go.
  const { reply } = publishing
  const [ground, setGround] = useState(published)
  const [letGo, setLetGo] = useState<PublishReply>()
  const overtaken = reply?.ok === false && reply.reason === 'changed_meanwhile' && reply !== letGo
  if (ground.version !== published.version && !overtaken) setGround(published)
  const { revalidate } = useRevalidator()
  const loadNewer = () => {
    setLetGo(reply)
    revalidate()
  }
  // A new version (ours, or another's once loaded) is the new ground: the draft starts over on it.
  const draft = { publishing, published: ground, overtaken, loadNewer }
  return <DraftOnVersion key={ground.version} {...draft} {...props} />
}

type DraftOnVersionProps = Omit<ProgramDraftProviderProps, 'savedMessage' | 'onSaved'> &
  Pick<ProgramDraft, 'overtaken' | 'loadNewer'> & { publishing: Publishing }

function DraftOnVersion({ id, children, ...rest }: DraftOnVersionProps) {
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

function useDraft({
  published,
  initial,
  publishing,
  overtaken,
  loadNewer,
  onDiscarded,
}: Omit<DraftOnVersionProps, 'id' | 'children'>) {
  const [document, setDocument] = useState(initial ?? published.document)
  const [touched, setTouched] = useState<readonly string[]>([])
  const [extra, setExtra] = useState<Record<string, string>>({})
  const parsed = useMemo(() => parseProgram(document, published.document), [document, published.document])
  // An answer belongs to the draft it was given for, until that is discarded; what was answered before is not for it.
  const [asked, setAsked] = useState<{ answeredBefore: PublishReply | undefined }>()
  const reply = asked && publishing.reply !== asked.answeredBefore ? publishing.reply : undefined
  useEffect(() => {
    if (reply?.ok === false) goToFirstWrong()
  }, [reply])
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
    overtaken,
    loadNewer,
    read: (path) => readPath(document, path),
    write,
    replace: setDocument,
    errorAt: (path) => {
      const problem = problems.find(({ field }) => field === formatPath(path))
      return problem && sayBeside(problem)
    },
    extra,
    setExtra,
    save: () => {
      setTouched([])
      setAsked({ answeredBefore: publishing.reply })
      publishing.publish(document, published.version, extra)
    },
    discard: () => {
      setDocument(published.document)
      setAsked(undefined)
      if (overtaken) loadNewer()
      onDiscarded?.()
    },
  } satisfies ProgramDraft
}

/** To the first field that was found wrong, which may be far from the save bar; where none is on the page, to the banner that says why. */
function goToFirstWrong(): void {
  const field = document.querySelector<HTMLElement>(':is(input, select, textarea)[aria-invalid="true"]')
  const target = field ?? document.querySelector<HTMLElement>('[role="alert"]')
  // In the middle: at the edge its label or its message may be out of sight.
  target?.scrollIntoView({ block: 'center' })
  target?.focus({ preventScroll: true })
}

/** True for a place itself and for what is inside it: "tiers.levels[0].name" is within "tiers.levels". */
function isWithin(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`)
}
