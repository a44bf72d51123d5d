import type { z } from 'zod'

import { programSchema, type ProgramDocument } from './program-document.ts'
import { formatPath } from './problems.ts'

/** Places by which others are read, which would then be told of as wrong. */
const WITHOUT_STAND_IN = /^(currency|timezone|earning\[\d+\]\.on|tiers\.levels\[\d+\]\.id)$/

/**
 * The document of a wrong shape with its defaults and, in each wrong place, something that means nothing, so that all the rest can be
 * checked too: a shopkeeper who mends one thing should not be told of the next one only then. `issues` are zod's. Null where a wrong
 * place is more than a number or a text, or is one that others are read by.
 */
export function standIn(input: unknown, issues: readonly z.core.$ZodIssue[]): ProgramDocument | null {
  const filled: unknown = structuredClone(input)
  for (const issue of issues) {
    const nothing = findNothing(issue)
    if (!nothing || WITHOUT_STAND_IN.test(formatPath(issue.path))) return null
    if ('value' in nothing) put(filled, issue.path, nothing.value)
  }
  let document: ProgramDocument | null = null
  // A refinement that does not mind what was found before is shown what zod has read, defaults and all.
  programSchema.refine((value) => Boolean((document = value)), { when: () => true }).safeParse(filled)
  return document
}

/**
 * What means nothing in the place of an issue: NaN compares with nothing, and an empty text is no amount and no time. `{}` where what was
 * given can stay, null where nothing is known.
 */
function findNothing(issue: z.core.$ZodIssue): { value?: unknown } | null {
  switch (issue.code) {
    case 'unrecognized_keys':
      return {}
    case 'invalid_union':
      return { value: NaN }
    case 'invalid_type':
      if (issue.expected === 'string') return { value: '' }
      return issue.expected === 'number' || issue.expected === 'int' ? { value: NaN } : null
    case 'too_small':
    case 'too_big':
    case 'custom':
      return typeof issue.input === 'number' ? { value: NaN } : {}
    default:
      return null
  }
}

function put(document: unknown, path: readonly PropertyKey[], value: unknown): void {
  const parent = path.slice(0, -1).reduce((at, key) => (at as Record<PropertyKey, unknown>)[key], document)
  ;(parent as Record<PropertyKey, unknown>)[path.at(-1)!] = value
}
