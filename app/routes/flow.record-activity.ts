import { json, type ActionFunctionArgs } from '@remix-run/node'
import { now } from '#app/clock.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import { applyEvents } from '#app/db/world.server.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Refusal } from '#app/loyalty/engine.ts'
import type { Program } from '#app/loyalty/program.ts'
import { parseRun } from '#app/shopify/record-activity.ts'
import { refuse, requireStep } from '#app/workflow.server.ts'

/** What the app itself pays, at the moment when it happens. A workflow must not report it a second time. */
const BY_THEMSELVES: ReadonlySet<string> = new Set(['order', 'signup', 'birthday'])

const WHY: Partial<Record<Refusal, string>> = {
  not_a_member: 'The customer does not take part in the program.',
  erased: 'The customer asked to be forgotten.',
  tier: 'The program has points for this only in other tiers than the member’s.',
  limit_reached: 'The member has had points for this as often as the program allows.',
  not_now: 'The program has no points for this today.',
}

/**
 * POST /flow/record-activity: one of the merchant's workflows in Shopify Flow reports what a customer did, and the program pays points for it.
 *
 * Answers 200 where it was paid, by this call or by an earlier one with the same run or reference; `points` says how much this call paid. Refuses,
 * each time with a sentence, requests that are not a step of Flow's ({@link requireStep}), what cannot be read (400), and what the program does not
 * pay for (422). Flow repeats a call for up to 36 hours after a 5xx, a 429, or 10 seconds without an answer. Any other 4xx fails the step for good,
 * and the merchant finds the sentence among the workflow's runs (shopify.dev, "Create Flow action endpoints").
 */
export async function action({ request }: ActionFunctionArgs) {
  const { shop, payload } = await requireStep(request)
  const run = parseRun(payload)
  if (!run.ok) return refuse(400, 'invalid', run.message)
  const at = now()
  const programs = await loadPrograms(shop.id)
  if (!programs) return refuse(422, 'no_program', 'No loyalty program has been published yet.')
  const { program } = versionAt(programs, at)
  const name = findActivity(program, run.activity)
  if (name === null) return refuse(422, 'unknown_event', sayUnknown(program, run.activity))
  const { customer, key } = run
  const applied = await applyEvents(shop.id, [{ type: 'event', at, customer, name, key, order: null }], at)
  if (!applied.ok) return refuse(422, applied.reason, 'No loyalty program has been published yet.')
  const { refused, transfers } = applied.changes[0]!
  if (refused !== null) return refuse(422, refused, WHY[refused] ?? `The program refuses this: ${refused}.`)
  // The same posting also moves whatever was due for the member anyway: a release, a birthday.
  const paid = transfers.filter(
    ({ from, reason }) => from === 'shop.issued' && (reason === name || reason === 'custom'),
  )
  return json({ ok: true, points: paid.reduce((sum, { amount }) => sum + amount, 0) })
}

/** The name, as the program writes it, of the activity that was typed, in whatever case; null where the program has no points for it. */
function findActivity(program: Program, typed: string): string | null {
  const wanted = bare(typed).toLowerCase()
  return listActivities(program).find((name) => name.toLowerCase() === wanted) ?? null
}

function listActivities(program: Program): string[] {
  return [...new Set(program.earning.map(({ on }) => bare(on)))].filter((name) => !BY_THEMSELVES.has(name))
}

function bare(on: string): string {
  return on.replace(/^custom:/, '')
}

function sayUnknown(program: Program, typed: string): string {
  const activities = listActivities(program)
  const paid = activities.length > 0 ? `It has points for: ${activities.join(', ')}.` : 'It has points for no activity.'
  return `The program has no points for "${typed}". ${paid}`
}
