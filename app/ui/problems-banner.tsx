import { Banner, Button, List } from '@shopify/polaris'

import type { Problem } from '#app/loyalty/problems.ts'
import { sayProblem } from '#app/ui/problem-words.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

/**
 * Why the last attempt to save came to nothing. Problems that stand beside a field of the page are named here too, in one place. Before it, what the
 * program has from before a rule that would refuse it now.
 */
export function ProblemsBanner() {
  const { document, parsed, problems, overtaken, loadNewer } = useProgramDraft()
  if (overtaken) {
    return (
      <Banner tone="critical" title="Somebody else saved the program while you were editing">
        <p>Nothing of yours was saved. Load the newer version and make your changes again.</p>
        <Button onClick={loadNewer}>Load the newer version</Button>
      </Banner>
    )
  }
  if (problems.length === 0 && parsed.ok && parsed.standing.length > 0) {
    return (
      <Banner tone="warning" title="Something in the program goes beyond a limit">
        <ProblemList problems={parsed.standing} document={document} />
        <p>
          It was saved before this limit was checked, and stays as it is until you change it. All else can be saved.
        </p>
      </Banner>
    )
  }
  if (problems.length === 0) return null
  return (
    <Banner tone="critical" title={sayHowMany(problems)}>
      <ProblemList problems={problems} document={document} />
    </Banner>
  )
}

/** A problem that is of no place in the document is none of what was typed. */
function sayHowMany(problems: readonly Problem[]): string {
  if (problems.every(({ path }) => path.length === 0)) return 'Nothing was saved'
  return problems.length === 1 ? 'One thing needs correcting' : `${problems.length} things need correcting`
}

function ProblemList({ problems, document }: { problems: readonly Problem[]; document: unknown }) {
  return (
    <List>
      {problems.map((problem) => (
        <List.Item key={problem.field + problem.message}>{sayProblem(problem, document)}</List.Item>
      ))}
    </List>
  )
}
