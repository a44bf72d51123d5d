// Brings members over from other apps. It checks each line of a file (whose is it, can it be used?), gives the points once the merchant has looked
// and agreed, and takes them back when asked. It works in slices. Each slice is one transaction together with the results of its lines, so a crash
// costs nothing and nothing happens twice. A turn is short, because a shop's tasks run one after another and cards and codes must not wait for a
// long file.
import type { PoolClient } from 'pg'
import { now } from '#app/clock.server.ts'
import { whileAlone } from '#app/db/alone.server.ts'
import { inTransaction } from '#app/db/client.server.ts'
import { isDatabases } from '#app/db/errors.server.ts'
import { saveAdjustments } from '#app/db/facts.server.ts'
import {
  findBroughtBefore,
  findImportInWork,
  findLinesOf,
  findStandings,
  listRaw,
  moveImport,
  noteImportError,
  saveChecked,
  saveGiven,
  saveTakenBack,
  takeGiven,
  takeReady,
  type CheckedLine,
  type ImportRow,
} from '#app/db/imports.server.ts'
import { enqueueEffects, finishEffects, leaseEffects } from '#app/db/outbox.server.ts'
import { loadPrograms } from '#app/db/programs.server.ts'
import type { Shop } from '#app/db/shops.server.ts'
import { loadWorld, saveWorld, type LoadedWorld } from '#app/db/world.server.ts'
import { logError } from '#app/log.server.ts'
import { advance, handle, type Event, type Programs } from '#app/loyalty/engine.ts'
import {
  findFilled,
  findObstacle,
  importKey,
  planImport,
  planUndo,
  readImportLine,
  undoKey,
  type ImportLine,
  type LineProblem,
  type ReadyLine,
} from '#app/loyalty/imports.ts'
import { versionAt } from '#app/loyalty/ledger.ts'
import type { Program } from '#app/loyalty/program.ts'
import { AdminApiError, isWithoutSession, type AdminClient } from '#app/shopify/admin-api.server.ts'
import { findCustomersByEmail, findCustomerStates, type CustomerState } from '#app/shopify/customers.server.ts'

/** The effect that starts this work at once; without it, the timetable starts it within a minute. */
export const WORK_ON_IMPORTS = 'work-on-imports'
const CHECKED_AT_ONCE = 500
const GIVEN_AT_ONCE = 500
const TURN_MS = 20_000
const WAKE_LEASE_MS = 60_000
/** What holds an import up, for the merchant. */
const SHOPIFY_AWAY = 'Shopify could not be asked for customers just now. It is tried again every minute.'
const OUR_FAULT =
  'Something went wrong on our side, and nothing was counted twice. It is tried again every minute. If this stays, please tell us.'

/** Has the shop's imports worked on as soon as a worker is free. */
export async function wakeImports(shopId: number): Promise<void> {
  await enqueueEffects(shopId, [{ kind: WORK_ON_IMPORTS, key: 'shop' }], now())
}

/**
 * Works on the shop's imports for one turn, and asks for another turn where something is left. Returns how many lines it went through; null where
 * another process is doing this.
 */
export async function workOnImports(shop: Shop, admin: AdminClient, turnMs = TURN_MS): Promise<number | null> {
  return whileAlone(`imports:${shop.id}`, 0, async () => {
    const woken = await leaseEffects(shop.id, WORK_ON_IMPORTS, now(), { limit: 10, leaseMs: WAKE_LEASE_MS })
    await finishEffects(
      shop.id,
      woken.map(({ id }) => id),
      now(),
    )
    const startedAt = performance.now()
    let lines = 0
    for (;;) {
      const work = await findImportInWork(shop.id)
      if (!work) return lines
      const done = await takeSlice(shop, admin, work)
      if (done === null) return lines
      lines += done
      if (performance.now() - startedAt > turnMs) break
    }
    await wakeImports(shop.id)
    return lines
  })
}

/** One slice of one import; null where it cannot go on for now, which the import then says. */
async function takeSlice(shop: Shop, admin: AdminClient, work: ImportRow): Promise<number | null> {
  try {
    const done = await SLICES[work.state as keyof typeof SLICES](shop.id, work, admin)
    await noteImportError(shop.id, work.id, null)
    return done
  } catch (error) {
    // The next turn tries again: the database is away, or nobody can speak for the shop.
    if (isDatabases(error) || isWithoutSession(error)) throw error
    const isShopifys = error instanceof AdminApiError
    if (!isShopifys) logError(`import ${work.id} of shop ${shop.id} is held up while ${work.state}`, error)
    await noteImportError(shop.id, work.id, isShopifys ? SHOPIFY_AWAY : OUR_FAULT)
    return null
  }
}

/** Each takes some lines further and returns how many; with none left, the import moves on. */
const SLICES = { checking: checkSlice, applying: giveSlice, undoing: takeBackSlice }

async function requirePrograms(shopId: number, client?: PoolClient): Promise<Programs> {
  const programs = await loadPrograms(shopId, client)
  if (!programs) throw new Error(`Shop ${shopId} imports members and has no program.`)
  return programs
}

async function checkSlice(shopId: number, work: ImportRow, admin: AdminClient): Promise<number> {
  const raw = await listRaw(shopId, work.id, CHECKED_AT_ONCE)
  if (raw.length === 0) {
    await moveImport(shopId, work.id, ['checking'], 'checked', now())
    return 0
  }
  const at = now()
  const { program } = versionAt(await requirePrograms(shopId), at)
  const { header, mapping } = work
  const checked: CheckedLine[] = []
  const readable: Readable[] = []
  for (const { line, fields } of raw) {
    const read = readImportLine(fields, { header, mapping, program, at })
    if (read.ok) readable.push({ line, says: read.line })
    else checked.push({ line, problems: read.problems })
  }
  const found = await identify(
    admin,
    readable.map(({ says }) => says),
  )
  checked.push(...(await judge(shopId, work, program, readable, found)))
  await saveChecked(shopId, work.id, checked)
  return raw.length
}

type Readable = { line: number; says: ImportLine }

/** The customer that each line is about, as Shopify knows them: by the customer's number, else by the e-mail address; null where it knows neither. */
async function identify(admin: AdminClient, lines: readonly ImportLine[]): Promise<(CustomerState | null)[]> {
  const byNumber = await findCustomerStates(admin, [...new Set(lines.flatMap(({ customer }) => customer ?? []))])
  const rest = lines.filter(({ customer }) => customer === null || !byNumber.has(customer))
  const byEmail = await findCustomersByEmail(admin, [...new Set(rest.flatMap(({ email }) => email ?? []))])
  return lines.map(({ customer, email }) => byNumber.get(customer ?? '') ?? byEmail.get(email ?? '') ?? null)
}

/** Which of the lines can be given to whom: each customer once in a file, and once from an app. */
async function judge(
  shopId: number,
  work: ImportRow,
  program: Program,
  lines: readonly Readable[],
  found: readonly (CustomerState | null)[],
): Promise<CheckedLine[]> {
  const customers = [...new Set(found.flatMap((one) => one?.customer ?? []))]
  const [standings, taken, brought] = await Promise.all([
    findStandings(shopId, customers),
    findLinesOf(shopId, work.id, customers),
    findBroughtBefore(shopId, work, customers),
  ])
  return lines.map(({ line, says }, place): CheckedLine => {
    const who = found[place]
    const refuse = (allowed: string): CheckedLine => ({ line, problems: [{ ...nameOf(work, says), allowed }] })
    if (!who) return refuse('a customer of your store. Add them in Shopify, then bring this line in again')
    const { customer, state } = who
    const standing = standings.get(customer)
    const obstacle = findObstacle(standing?.erased === true, state, program)
    if (obstacle) return refuse(obstacle)
    const before = taken.get(customer)
    if (before !== undefined) return refuse(`one line for each customer; line ${before} is this one’s already`)
    const file = brought.get(customer)
    if (file) return refuse(sayBroughtBefore(work, file.fileName))
    taken.set(customer, line)
    const { points, tier, birthday, lastDay } = says
    return {
      line,
      ready: { customer, accountState: state, points, tier, birthday, lastDay },
      known: standing !== undefined,
    }
  })
}

function sayBroughtBefore({ source }: ImportRow, fileName: string): string {
  return `a customer not yet brought over from ${source}. This one came with “${fileName}”: undo that import first`
}

/** The column and words by which a line names its customer. */
function nameOf({ header, mapping }: ImportRow, { customer, email }: ImportLine): Omit<LineProblem, 'allowed'> {
  const place = email === null ? mapping.customer : mapping.email
  return { column: header[place ?? 0] ?? 'customer', found: email ?? customer?.split('/').at(-1) ?? '' }
}

async function giveSlice(shopId: number, work: ImportRow): Promise<number> {
  const given = await inSlices(
    (limit) => giveTogether(shopId, work, limit),
    (reason) => refuseNext(shopId, work, reason),
  )
  if (given === 0) await moveImport(shopId, work.id, ['applying'], 'done', now())
  return given
}

/**
 * Gives the next lines in one transaction. Where that fails because of one of them, each is tried by itself and the one is refused. Failures of the
 * database are tried again later; only what the rules cannot do is the fault of a line.
 */
async function inSlices(
  together: (limit: number) => Promise<number>,
  refuse: (reason: unknown) => Promise<number>,
): Promise<number> {
  try {
    return await together(GIVEN_AT_ONCE)
  } catch (error) {
    if (isDatabases(error)) throw error
  }
  try {
    return await together(1)
  } catch (error) {
    if (isDatabases(error)) throw error
    return refuse(error)
  }
}

function giveTogether(shopId: number, work: ImportRow, limit: number): Promise<number> {
  return inTransaction(async (client) => {
    const lines = await takeReady(shopId, work.id, limit, client)
    if (lines.length === 0) return 0
    const at = now()
    const programs = await requirePrograms(shopId, client)
    const customers = lines.map(({ customer }) => customer)
    const keyed = customers.map((customer) => keyOnly(customer, importKey(work.id, customer), at))
    const world = await loadWorld(shopId, keyed, { at }, client)
    const brought = await findBroughtBefore(shopId, work, customers, client)
    const applied: Event[] = []
    const saved = lines.map((line) => {
      const file = brought.get(line.customer)
      const obstacle = file ? sayBroughtBefore(work, file.fileName) : null
      const given = obstacle ? { filled: 0, refused: obstacle } : giveLine(world, programs, work, line, at, applied)
      const problem = given.refused === null ? null : refuseCustomer(line.customer, given.refused)
      return { line: line.line, filled: given.filled, problem }
    })
    await saveWorld(shopId, world, programs, at, client)
    await saveAdjustments(shopId, applied, at, client)
    await saveGiven(shopId, work.id, saved, client)
    return lines.length
  })
}

function refuseCustomer(customer: string, allowed: string): LineProblem {
  return { column: 'the customer', found: customer.split('/').at(-1)!, allowed }
}

/** An adjustment of that key, for what must be loaded of it. */
function keyOnly(customer: string, key: string, at: number): Event {
  return { type: 'adjust', at, customer, points: 0, reason: '', actor: '', key }
}

function giveLine(
  world: LoadedWorld,
  programs: Programs,
  work: ImportRow,
  line: ReadyLine,
  at: number,
  applied: Event[],
): { filled: number; refused: string | null } {
  const known = world.member(line.customer)
  if (known) world.put(advance(known, programs, at))
  const member = world.member(line.customer) ?? null
  const obstacle = findObstacle(member?.erasedAt != null, line.accountState, versionAt(programs, at).program)
  if (obstacle) return { filled: 0, refused: obstacle }
  for (const event of planImport(line, work, { programs, member, at })) {
    const changes = handle(world, event, programs)
    // A customer merged into an erased one, or a tier that the program has lost since: nothing of this line was given then, or all but the tier.
    if (changes.refused && event.type !== 'place-tier') {
      return { filled: 0, refused: `a customer who can hold points (${changes.refused.replaceAll('_', ' ')})` }
    }
    world.put(changes)
    if (!changes.refused) applied.push(event)
  }
  if (line.points === 0) return { filled: 0, refused: null }
  return { filled: findFilled(world.member(line.customer)!, work.id, line.customer, line.points), refused: null }
}

/** Refuses the next line: the rules could not give it, for a reason that is ours and goes into the log. */
function refuseNext(shopId: number, work: ImportRow, reason: unknown): Promise<number> {
  return inTransaction(async (client) => {
    const [line] = await takeReady(shopId, work.id, 1, client)
    if (!line) return 0
    logError(`line ${line.line} of import ${work.id} of shop ${shopId} cannot be given`, reason)
    const problem = refuseCustomer(line.customer, 'a customer whose points can be counted')
    await saveGiven(shopId, work.id, [{ line: line.line, filled: 0, problem }], client)
    return 1
  })
}

async function takeBackSlice(shopId: number, work: ImportRow): Promise<number> {
  const taken = await takeBackTogether(shopId, work)
  if (taken === 0) await moveImport(shopId, work.id, ['undoing'], 'undone', now())
  return taken
}

function takeBackTogether(shopId: number, work: ImportRow): Promise<number> {
  return inTransaction(async (client) => {
    const lines = await takeGiven(shopId, work.id, GIVEN_AT_ONCE, client)
    if (lines.length === 0) return 0
    const at = now()
    const programs = await requirePrograms(shopId, client)
    const keyed = lines.map(({ customer }) => keyOnly(customer, undoKey(work.id, customer), at))
    const world = await loadWorld(shopId, keyed, { at }, client)
    const applied: Event[] = []
    const saved = lines.map((line) => {
      const known = world.member(line.customer)
      if (!known) return { line: line.line, takenBack: 0 }
      world.put(advance(known, programs, at))
      const plan = planUndo(line, work, { member: world.member(line.customer)!, at })
      for (const event of plan.events) world.put(handle(world, event, programs))
      applied.push(...plan.events)
      return { line: line.line, takenBack: plan.points }
    })
    await saveWorld(shopId, world, programs, at, client)
    await saveAdjustments(shopId, applied, at, client)
    await saveTakenBack(shopId, work.id, saved, client)
    return lines.length
  })
}
