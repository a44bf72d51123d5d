import { Banner, List, TextField } from '@shopify/polaris'

import type { Problem } from '#app/loyalty/problems.ts'
import type { PublishReply } from '#app/ui/use-publish.ts'

type PublishRefusalProps = {
  reply: PublishReply | undefined
  title: string
  say: (problem: Problem) => string
}

/** Why a program was not published, for pages without a draft of it; stays until the next attempt. The reason that it may ask for is asked beside it. */
export function PublishRefusal({ reply, title, say }: PublishRefusalProps) {
  if (!reply || reply.ok) return null
  if (reply.reason === 'changed_meanwhile') {
    return (
      <Banner tone="critical" title="Somebody else saved the program meanwhile">
        <p>Nothing was published. The changes are now those to the newer version: look at them again.</p>
      </Banner>
    )
  }
  const problems = reply.problems.filter(({ field }) => field !== REASON_FIELD)
  if (problems.length === 0) return null
  return (
    <Banner tone="critical" title={title}>
      <List>
        {problems.map((problem) => (
          <List.Item key={problem.field + problem.message}>{say(problem)}</List.Item>
        ))}
      </List>
    </Banner>
  )
}

const REASON_FIELD = 'overrideReason'

/** What the discount-fatigue guard said in asking for a reason; undefined where it did not. */
export function findReasonAsked(reply: PublishReply | undefined): string | undefined {
  if (!reply || reply.ok || reply.reason !== 'invalid_program') return undefined
  return reply.problems.find(({ field }) => field === REASON_FIELD)?.message
}

type OverrideReasonProps = { value: string; onChange: (value: string) => void; error: string | undefined }

/** The reason for going past the discount-fatigue guard. */
export function OverrideReason({ value, onChange, error }: OverrideReasonProps) {
  return (
    <TextField
      label="Why so much discount?"
      helpText="Kept with the campaign. Without a reason it is not saved."
      autoComplete="off"
      multiline={2}
      maxLength={300}
      value={value}
      onChange={onChange}
      error={error}
    />
  )
}
