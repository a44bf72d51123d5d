import { Banner, Button, List } from '@shopify/polaris'

import { sayProblem } from '#app/ui/problem-words.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

/** Why the last attempt to save came to nothing. Problems that stand beside a field of the page are named here too, in one place. */
export function ProblemsBanner() {
  const { document, problems, overtaken, loadNewer } = useProgramDraft()
  if (overtaken) {
    return (
      <Banner tone="critical" title="Somebody else saved the program while you were editing">
        <p>Nothing of yours was saved. Load the newer version and make your changes again.</p>
        <Button onClick={loadNewer}>Load the newer version</Button>
      </Banner>
    )
  }
  if (problems.length === 0) return null
  return (
    <Banner
      tone="critical"
      title={problems.length === 1 ? 'One thing needs correcting' : `${problems.length} things need correcting`}
    >
      <List>
        {problems.map((problem) => (
          <List.Item key={problem.field + problem.message}>{sayProblem(problem, document)}</List.Item>
        ))}
      </List>
    </Banner>
  )
}
