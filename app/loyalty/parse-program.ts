import { findBeyondLimits, type BeyondLimit } from './discount-limits.ts'
import { describeProblem, explainIssues, problemAt, type Problem } from './problems.ts'
import { Check, type Path } from './program-check.ts'
import { programSchema, type ProgramDocument } from './program-document.ts'
import type { Expiry, Program } from './program.ts'
import { readCampaign } from './read-campaign.ts'
import { readEarning } from './read-earning.ts'
import { readReward, SHARED_REWARDS } from './read-reward.ts'
import { readTiers } from './read-tiers.ts'
import { standIn } from './stand-ins.ts'

/** What {@link parseProgram} answers: the document with its defaults and the program read from it, or everything that is wrong. */
export type ParsedProgram =
  | {
      readonly ok: true
      readonly document: ProgramDocument
      readonly program: Program
      /** What was accepted before and would be refused as new: it stays as it is until somebody changes it. */
      readonly standing: readonly Problem[]
    }
  | { readonly ok: false; readonly reason: 'invalid_program'; readonly problems: readonly Problem[] }

/**
 * Reads a program document (parsed JSON) and checks all of it: shape, defaults, what fields demand of each other, and what discounts can hold. Returns the document with defaults
 * and the program for the engine, or every problem found, each with the field's path. `parseProgram({...})` → `{ ok: false, problems:
 * [{ field: 'tiers.levels[0].threshold', message: 'must be 0: every member starts on the first level' }] }`.
 *
 * `before` is the document whose place it takes. A reward, a campaign or tiers that stand in that one word for word need not keep to rules that came
 * after them: what these say is `standing`, or one campaign from before would keep all of the program from being changed.
 */
export function parseProgram(input: unknown, before?: unknown): ParsedProgram {
  const { document, program, problems: wrong } = readDocument(input)
  if (!document) return refuse(wrong)
  // An entry that is wrong in itself is beyond a limit, or not, once it is right.
  const found = [...findBeyondLimits(document), ...findSharesThatLimitNothing(document)].filter(
    ({ path }) => !wrong.some((problem) => isSameEntry(problem.path, path)),
  )
  const accepted = found.length > 0 ? programSchema.safeParse(before).data : undefined
  const problems = found.map(({ path, message }) => problemAt(path, message))
  const refused = problems.filter(
    ({ path }) => !accepted || !listEntries(accepted, path).includes(entryAt(document, path)),
  )
  return program && refused.length === 0
    ? { ok: true, document, program, standing: problems }
    : refuse([...wrong, ...refused])
}

/**
 * Reads a document that was accepted before, as {@link parseProgram} does: what is refused only since then (what Shopify's discounts cannot
 * hold, too) goes on to hold as it did, or gives nothing, while the rest of that program goes on.
 */
export function parseAcceptedProgram(input: unknown): ParsedProgram {
  const { document, program, problems } = readDocument(input)
  return document && program ? { ok: true, document, program, standing: [] } : refuse(problems)
}

/** `document` is one to look at also where its shape is wrong, as far as that can be; `program` only where nothing is. */
type ReadDocument = { document: ProgramDocument | null; program: Program | null; problems: readonly Problem[] }

function readDocument(input: unknown): ReadDocument {
  const shape = programSchema.safeParse(input, { reportInput: true })
  const misshapen = shape.success ? [] : explainIssues(shape.error.issues)
  const document = shape.success ? shape.data : standIn(input, shape.error.issues)
  if (!document) return { document, program: null, problems: misshapen }
  const check = new Check(document)
  const program = readProgram(document, check)
  // What a wrong shape brings about is told as that alone.
  const others = check.problems.filter(({ path }) => !misshapen.some((problem) => isAround(problem.path, path)))
  const problems = [...misshapen, ...others]
  return { document, program: problems.length > 0 ? null : program, problems }
}

/** True where one path is the other or leads to it. */
function isAround(one: Path, other: Path): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index])
}

/** True where both paths lead into the tiers, or into the same reward or campaign. */
function isSameEntry([list, index]: Path, [otherList, otherIndex]: Path): boolean {
  return list === otherList && (list === 'tiers' || index === otherIndex)
}

/** The program of a document that was accepted before. Throws with the problems where it is not valid. */
export function requireProgram(input: unknown): Program {
  const parsed = parseAcceptedProgram(input)
  if (parsed.ok) return parsed.program
  throw new Error(`not a valid program: ${parsed.problems.map((problem) => describeProblem(problem)).join('; ')}`)
}

/** The tiers, or all rewards or campaigns, whichever the path leads into: each as text, to compare. */
function listEntries(document: ProgramDocument, [list]: Path): string[] {
  const entries = list === 'tiers' ? [document.tiers] : document[list as 'rewards' | 'campaigns']
  return entries.map((entry) => JSON.stringify(entry) ?? '')
}

function entryAt(document: ProgramDocument, path: Path): string {
  return listEntries(document, path)[path[0] === 'tiers' ? 0 : Number(path[1])]!
}

/** Shares of the order that mean nothing for their reward, of a document that is right in itself. This came later than the first programs. */
function findSharesThatLimitNothing({ rewards }: ProgramDocument): BeyondLimit[] {
  return rewards.flatMap(({ type, value, maximumShare }, index) => {
    if (maximumShare === undefined || SHARED_REWARDS.has(type)) return []
    const path = ['rewards', index, 'maximumShare']
    if (type !== 'percentage') return [{ path, message: `has no meaning for a reward of type ${type}` }]
    if (typeof value !== 'number' || value <= maximumShare) return []
    const message = `must not be below value: ${value} % of an order is more than ${maximumShare} %`
    return [{ path, message }]
  })
}

function refuse(problems: readonly Problem[]): ParsedProgram {
  return { ok: false, reason: 'invalid_program', problems }
}

function readProgram(document: ProgramDocument, check: Check): Program {
  const { exclude } = document.basis
  const program: Program = {
    document,
    currency: document.currency,
    exponent: check.exponent,
    timeZone: document.timezone,
    enrolment: document.enrolment,
    basis: {
      ...document.basis,
      exclude: {
        products: new Set(exclude.products),
        collections: new Set(exclude.collections),
        tags: new Set(exclude.tags),
        channels: new Set(exclude.channels),
      },
    },
    rounding: document.rounding,
    holdDays: document.hold.days,
    expiry: readExpiry(document, check),
    negativeBalance: document.negativeBalance,
    stacking: document.stacking,
    earning: document.earning.map((rule, index) => readEarning(rule, ['earning', index], check)),
    tiers: document.tiers ? readTiers(document.tiers, check) : null,
    rewards: document.rewards.map((reward, index) => readReward(reward, ['rewards', index], check)),
    campaigns: document.campaigns.map((campaign, index) => readCampaign(campaign, ['campaigns', index], check)),
  }
  check.unique(document.earning, ['earning'])
  check.unique(document.rewards, ['rewards'])
  check.unique(document.campaigns, ['campaigns'])
  return program
}

/** The fewest days that so many calendar months can have, counted from any day. */
const SHORTEST_MONTHS = [0, 28, 59, 89, 120]

function readExpiry(document: ProgramDocument, check: Check): Expiry {
  const { model, months } = document.expiry
  if (model === 'none') {
    if (months !== undefined) check.add(['expiry', 'months'], 'has no meaning where points never expire')
    return { model }
  }
  if (months === undefined) {
    check.add(['expiry', 'months'], 'is missing')
    return { model, months: 12 }
  }
  const shortest = SHORTEST_MONTHS[months]
  if (shortest !== undefined && document.hold.days > shortest) {
    check.add(
      ['hold', 'days'],
      `${document.hold.days} days of waiting outlast points that live ${months} ${months === 1 ? 'month' : 'months'}`,
    )
  }
  return { model, months }
}
