/** Who would change tier under a program that is not saved yet. */
import type { Member } from '#app/loyalty/engine.ts'
import type { Program } from '#app/loyalty/program.ts'
import { findMeritedLevel } from '#app/loyalty/tiers.ts'

/** One member's way from a level to another, by level ids; null is no level. `up` is null where the level they come from is gone: neither. */
export type TierMove = { customer: string; from: string | null; to: string | null; up: boolean | null }

/**
 * The member's move under `program` at `now`, null where there is none. Up happens at once, down at a nightly review once the
 * grace is over; who was placed by hand stays. `from` and `to` are level ids.
 */
export function findTierMove(member: Member, program: Program, now: number): TierMove | null {
  const { manual, level: from } = member.tier
  const levels = program.tiers?.levels ?? []
  if (manual !== null && levels.some((level) => level.id === manual.level)) return null
  const to = findMeritedLevel(member, program, now)?.id ?? null
  if (to === from) return null
  const rank = (id: string | null) => levels.findIndex((level) => level.id === id)
  const isGone = from !== null && rank(from) < 0
  return { customer: member.id, from, to, up: isGone ? null : rank(to) > rank(from) }
}

/** All moves, counted and with examples. */
export type TierMoves = {
  /** Members looked at, and whether there are more than were looked at. */
  members: number
  partial: boolean
  /** Counts by "from → to", most first. */
  groups: { from: string | null; to: string | null; up: boolean | null; count: number }[]
  /** A few members of them, to look at. */
  examples: TierMove[]
}

/** Puts moves together; `examples` keeps the first few. */
export function gatherMoves(moves: TierMove[], members: number, partial: boolean, examples = 10): TierMoves {
  const groups = new Map<string, TierMoves['groups'][number]>()
  for (const { from, to, up } of moves) {
    const key = `${from}→${to}`
    const group = groups.get(key) ?? { from, to, up, count: 0 }
    groups.set(key, { ...group, count: group.count + 1 })
  }
  return {
    members,
    partial,
    groups: [...groups.values()].sort((a, b) => b.count - a.count),
    examples: moves.slice(0, examples),
  }
}
