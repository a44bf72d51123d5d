import { findBeyondLimits } from './discount-limits.ts'
import { describeProblem, explainIssues, problemAt, type Problem } from './problems.ts'
import { Check } from './program-check.ts'
import { programSchema, type ProgramDocument } from './program-document.ts'
import type { Expiry, Program } from './program.ts'
import { readCampaign } from './read-campaign.ts'
import { readEarning } from './read-earning.ts'
import { readReward } from './read-reward.ts'
import { readTiers } from './read-tiers.ts'

/** What {@link parseProgram} answers: the document with its defaults and the program read from it, or everything that is wrong. */
export type ParsedProgram =
  | { readonly ok: true; readonly document: ProgramDocument; readonly program: Program }
  | { readonly ok: false; readonly reason: 'invalid_program'; readonly problems: readonly Problem[] }

/**
 * Reads a program document (parsed JSON) and checks all of it: shape, defaults, what fields demand of each other, and what Shopify's discounts can
 * hold. Returns the document with its defaults and the program for the engine, or every problem found, each with the field's path.
 * `parseProgram({...})` → `{ ok: false, problems: [{ field: 'tiers.levels[0].threshold', message: 'must be 0, not 5: …' }] }`.
 */
export function parseProgram(input: unknown): ParsedProgram {
  const parsed = parseDocument(input, false)
  if (!parsed.ok) return parsed
  const beyond = findBeyondLimits(parsed.document)
  return beyond.length > 0 ? refuse(beyond.map(({ path, message }) => problemAt(path, message))) : parsed
}

/**
 * Reads a document that was accepted before. Rules that came later (such as what Shopify's discounts can hold) do not apply to it: what they
 * would refuse stays as it was, or gives nothing, and the rest of the program goes on.
 */
export function parseAcceptedProgram(input: unknown): ParsedProgram {
  return parseDocument(input, true)
}

function parseDocument(input: unknown, wasAccepted: boolean): ParsedProgram {
  const shape = programSchema.safeParse(input, { reportInput: true })
  if (!shape.success) return refuse(explainIssues(shape.error.issues))
  const check = new Check(shape.data, wasAccepted)
  const program = readProgram(shape.data, check)
  return check.problems.length > 0 ? refuse(check.problems) : { ok: true, document: shape.data, program }
}

/** The program of a document that was accepted before. Throws with the problems where it is not valid. */
export function requireProgram(input: unknown): Program {
  const parsed = parseAcceptedProgram(input)
  if (parsed.ok) return parsed.program
  throw new Error(`not a valid program: ${parsed.problems.map((problem) => describeProblem(problem)).join('; ')}`)
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
