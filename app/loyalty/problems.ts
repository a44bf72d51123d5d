/** What is wrong with a document, said so that a shopkeeper finds the place and knows what is allowed there. */
import type { z } from 'zod'

/** What is wrong with a document, and where: `field` is the path as people write it, "earning[0].per" ("" is the document itself). */
export type Problem = { readonly path: readonly (string | number)[]; readonly field: string; readonly message: string }

/** A problem in one line: "earning[0].per: is missing". */
export function describeProblem(problem: Problem): string {
  return problem.field === '' ? problem.message : `${problem.field}: ${problem.message}`
}

/** A path as people write it: ["earning", 0, "per"] is "earning[0].per". */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((all, part) => {
    if (typeof part === 'number') return `${all}[${part}]`
    return all === '' ? String(part) : `${all}.${String(part)}`
  }, '')
}

/** The findings of a zod schema (parsed with `reportInput`) as problems in a shopkeeper's words; for documents that stand beside the program's too. */
export function explainIssues(issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => explain(issue, []))
}

/** A problem of the field at a path. */
export function problemAt(path: readonly PropertyKey[], message: string): Problem {
  const plain = path.map((part) => (typeof part === 'number' ? part : String(part)))
  return { path: plain, field: formatPath(plain), message }
}

type Issue = z.core.$ZodIssue

/** zod's findings in a shopkeeper's words. An unknown field is a problem of that field, not of the object around it. */
function explain(issue: Issue, before: readonly PropertyKey[]): Problem[] {
  const path = [...before, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => problemAt([...path, key], 'is not a known field'))
  }
  if (issue.code === 'invalid_union') {
    // The branch that has the input's own kind says more than "none of them fits".
    const branch = issue.errors.find((errors) => !errors.some((error) => isKindError(error)))
    if (branch) return branch.flatMap((error) => explain(error as Issue, path))
  }
  if (issue.input === undefined && issue.code !== 'custom') return [problemAt(path, 'is missing')]
  return [problemAt(path, explainOne(issue))]
}

function isKindError(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

function explainOne(issue: Issue): string {
  const given = `, not ${describeValue(issue.input)}`
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}${given}`
    case 'invalid_value':
      return `must be ${orList(issue.values.map((value) => JSON.stringify(value)))}${given}`
    case 'invalid_union':
      return `must be ${describeUnion(issue.path)}${given}`
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty'
      if (issue.origin === 'array') return 'must have at least one entry (leave the field out where it does not matter)'
      return `must be at least ${issue.minimum}${given}`
    case 'too_big':
      return `must be at most ${issue.maximum}${given}`
    default:
      return issue.message + given
  }
}

const KINDS: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text in quotes',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function describeUnion(path: readonly PropertyKey[]): string {
  if (path.at(-1) === 'window') return '"lifetime", "calendar-year" or {"rollingDays": 365}'
  return 'a number, or money as text in quotes'
}

/** A value as it was written, for a message: text in quotes, at most 60 characters; lists and objects by their kind. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
