/**
 * A *campaign* is an offer with a beginning and an end. Discounts are given in checkout by the Function; here is what the engine
 * needs: when campaigns run, which of them multiply points, for whom, and who is held out to measure whether a campaign works.
 * A *stop* is a time in which a campaign gives nothing though its window is open: it was paused, or ended before its time.
 */
import type { Campaign, Program, Stretch } from './program.ts'

/** The end of a stop that has none: the last instant that a Date can hold, which stays a number in JSON. */
export const FOREVER = 8_640_000_000_000_000

/** True where the campaign is in force at an instant: [from, until), and not stopped. */
export function isInForce(campaign: Campaign, at: number): boolean {
  return isWithin(campaign, at) && !campaign.stops.some((stop) => isWithin(stop, at))
}

function isWithin({ fromAt, untilAt }: Stretch, at: number): boolean {
  return at >= fromAt && at < untilAt
}

/** Stops by campaign id, as a page is given them. */
export type CampaignStops = (readonly [string, readonly Stretch[]])[]

/** The program with what happened to its campaigns: stops by campaign id. The same program where nothing did. */
export function withStops(program: Program, stops: ReadonlyMap<string, readonly Stretch[]>): Program {
  if (!program.campaigns.some(({ id }) => stops.has(id))) return program
  const campaigns = program.campaigns.map((campaign) => ({ ...campaign, stops: stops.get(campaign.id) ?? [] }))
  return { ...program, campaigns }
}

/** Every name that the campaign's discount ever had: by them it is told in orders. Points that are multiplied have no name there. */
export function titlesOf(
  id: string,
  programs: { readonly versions: readonly { readonly program: Program }[] },
): string[] {
  const names = programs.versions.flatMap(({ program }) =>
    program.campaigns.filter((one) => one.id === id && isDiscount(one)),
  )
  return [...new Set(names.map(({ name }) => name))]
}

function isDiscount({ offer }: Campaign): boolean {
  return offer.kind !== 'pointsMultiplier'
}

/**
 * The first campaign of the list, other than `one`, whose discount could not be told from that of `one` in an order: orders name a
 * discount by its title alone, and both run at some same instant while `titlesOfOther` includes the name of `one`.
 */
export function findSameName(
  one: Campaign,
  campaigns: readonly Campaign[],
  titlesOfOther: (id: string) => readonly string[],
): Campaign | undefined {
  if (!isDiscount(one)) return undefined
  const times = findRunningTimes(one)
  return campaigns.find(
    (other) =>
      other.id !== one.id &&
      isDiscount(other) &&
      titlesOfOther(other.id).includes(one.name) &&
      findRunningTimes(other).some((time) =>
        times.some((own) => own.fromAt < time.untilAt && time.fromAt < own.untilAt),
      ),
  )
}

/** What happened to a campaign beside its document; instants in epoch milliseconds. */
export type CampaignHistory = {
  readonly endedAt: number | null
  /** Since when it rests; null while it runs. */
  readonly pausedAt: number | null
  /** The rests that are over: from and until. */
  readonly pauses: readonly (readonly [number, number])[]
}

/**
 * The stops of a campaign. A rest that is not over lasts until `pausedUntil`: FOREVER for what is given (nothing, until somebody resumes
 * it), the present for what is planned (it may go on at any moment).
 */
export function listStops({ endedAt, pausedAt, pauses }: CampaignHistory, pausedUntil: number): Stretch[] {
  const stops = pauses.map(([fromAt, untilAt]) => ({ fromAt, untilAt }))
  if (pausedAt !== null) stops.push({ fromAt: pausedAt, untilAt: Math.max(pausedAt, pausedUntil) })
  if (endedAt !== null) stops.push({ fromAt: endedAt, untilAt: FOREVER })
  return stops
}

/** When the campaign runs: its window without its stops, in order. Empty where it was called off before it began. */
export function findRunningTimes({
  fromAt,
  untilAt,
  stops,
}: Pick<Campaign, 'fromAt' | 'untilAt' | 'stops'>): Stretch[] {
  const times: Stretch[] = []
  let from = fromAt
  for (const stop of [...stops].sort((a, b) => a.fromAt - b.fromAt)) {
    const until = Math.min(stop.fromAt, untilAt)
    if (until > from) times.push({ fromAt: from, untilAt: until })
    from = Math.max(from, stop.untilAt)
  }
  if (untilAt > from) times.push({ fromAt: from, untilAt })
  return times
}

/** True where the campaign is for some levels or segments only. */
export function isForSome({ tiers, segments }: Pick<Campaign, 'tiers' | 'segments'>): boolean {
  return tiers !== null || segments !== null
}

/** True where a member of this tier and these segments is in the campaign's audience; an absent list means everyone. */
export function isInAudience(
  campaign: Campaign,
  member: { tier: string | null; segments: readonly string[] },
): boolean {
  if (campaign.tiers !== null && (member.tier === null || !campaign.tiers.has(member.tier))) return false
  return campaign.segments === null || member.segments.some((segment) => campaign.segments?.has(segment))
}

/**
 * True where the customer belongs to the hold-out of the campaign: the first 8 bytes of SHA-256("<campaign id>:<customer gid>"), as an
 * unsigned big-endian number ÷ 2^64, are below the share. The same customer always gets the same answer. False without a hold-out.
 */
export function isHeldOut(campaign: Campaign, customer: string): boolean {
  if (campaign.holdOut === null) return false
  const { numerator, denominator } = campaign.holdOut
  return firstEightBytes(`${campaign.id}:${customer}`) * denominator < numerator << 64n
}

/**
 * The side of a hold-out's comparison on which a customer stands, by the customers (gids) that it was when the campaign began: several
 * where they were merged since. Null where these were on both sides: it has seen both, and says nothing about either.
 */
export function armOf(campaign: Campaign, customers: readonly string[]): 'offered' | 'heldOut' | null {
  const heldOut = customers.filter((customer) => isHeldOut(campaign, customer)).length
  if (heldOut === customers.length) return 'heldOut'
  return heldOut === 0 ? 'offered' : null
}

/** Whose order it is, as campaigns ask. */
export type CampaignContext = {
  tier: string | null
  segments: readonly string[]
  customer: string | null
  /** The {@link decideCampaigns} of before, which stand whatever segments and customer say now; undefined: nothing was decided. */
  campaigns?: readonly string[] | undefined
}

/**
 * Of the multiplying campaigns that go by segments or hold out customers, the ids of those that an order placed at an instant has: to be kept
 * with it, because both can change later. Undefined where no such campaign is in force, so that there is nothing to keep.
 */
export function decideCampaigns(program: Program, placedAt: number, member: CampaignContext): string[] | undefined {
  const goesByPerson = program.campaigns.some(
    (campaign) => campaign.offer.kind === 'pointsMultiplier' && isPersonal(campaign) && isInForce(campaign, placedAt),
  )
  if (!goesByPerson) return undefined
  const found = findMultiplyingCampaigns(program, placedAt, member)
  return found.flatMap(({ campaign }) => (isPersonal(campaign) ? [campaign.id] : []))
}

function isPersonal({ segments, holdOut }: Campaign): boolean {
  return segments !== null || holdOut !== null
}

/** Campaigns that multiply points for this member's orders placed at an instant, with their factor in ten-thousandths. */
export function findMultiplyingCampaigns(
  program: Program,
  placedAt: number,
  member: CampaignContext,
): { campaign: Campaign; multiplier: number }[] {
  const found: { campaign: Campaign; multiplier: number }[] = []
  for (const campaign of program.campaigns) {
    if (campaign.offer.kind !== 'pointsMultiplier' || !isInForce(campaign, placedAt)) continue
    if (member.campaigns !== undefined && isPersonal(campaign)) {
      if (!member.campaigns.includes(campaign.id)) continue
    } else {
      if (!isInAudience(campaign, member)) continue
      if (member.customer !== null && isHeldOut(campaign, member.customer)) continue
    }
    found.push({ campaign, multiplier: campaign.offer.multiplier })
  }
  return found
}

/**
 * The first 8 bytes of the SHA-256 of a text (UTF-8) as an unsigned big-endian number. Written out because the rules import neither Node's crypto nor
 * the browser's, and both answer where this must not wait. Source: FIPS 180-4, sections 4.2.2, 5.3.3 and 6.2.
 */
function firstEightBytes(text: string): bigint {
  const message = padMessage(new TextEncoder().encode(text))
  const state = Uint32Array.from(INITIAL_STATE)
  const schedule = new Uint32Array(64)
  for (let start = 0; start < message.byteLength; start += 64) {
    for (let t = 0; t < 16; t++) schedule[t] = message.getUint32(start + t * 4)
    for (let t = 16; t < 64; t++) {
      const [early, late] = [schedule[t - 15] as number, schedule[t - 2] as number]
      const smallEarly = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
      const smallLate = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
      schedule[t] = (schedule[t - 16] as number) + smallEarly + (schedule[t - 7] as number) + smallLate
    }
    compress(state, schedule)
  }
  return (BigInt(state[0] as number) << 32n) | BigInt(state[1] as number)
}

function padMessage(bytes: Uint8Array): DataView {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n)
  return view
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let t = 0; t < 64; t++) {
    const bigE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const first = (h + bigE + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[t] as number) + (schedule[t] as number)) | 0
    const bigA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const second = (bigA + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  ;[a, b, c, d, e, f, g, h].forEach((value, index) => (state[index] = (state[index] as number) + value))
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits))
}

/** The first 64 primes; the constants of the standard are fractions of their roots. */
const PRIMES = (() => {
  const primes: bigint[] = []
  for (let candidate = 2n; primes.length < 64; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate)
  }
  return primes
})()
/** The first 32 bits of the fractional parts of the square roots of the first eight primes. */
const INITIAL_STATE = PRIMES.slice(0, 8).map((prime) => Number(integerRoot(prime << 64n, 2n) & 0xffff_ffffn))
/** The same of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS = PRIMES.map((prime) => Number(integerRoot(prime << 96n, 3n) & 0xffff_ffffn))

/** The largest whole number whose power is not above the value. */
function integerRoot(value: bigint, power: bigint): bigint {
  let [low, high] = [0n, 1n << 64n]
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (middle ** power <= value) low = middle
    else high = middle
  }
  return low
}
