/** Members' records in slices, for looking through all of a shop. Reads only. */
import { pool } from '#app/db/client.server.ts'
import { readMembers } from '#app/db/member-records.server.ts'
import type { Member } from '#app/loyalty/engine.ts'
import { toGid } from '#app/loyalty/ids.ts'

const SLICE = 500

/** The engine's records of the shop's members, erased ones left out, at most `limit`, in slices so that none of it is held at once. */
export async function* eachMember(shopId: number, limit: number): AsyncGenerator<Member> {
  let after = '0'
  for (let seen = 0; seen < limit; seen += SLICE) {
    const { rows } = await pool.query<{ id: string }>(
      'select id from members where shop_id = $1 and id > $2 and erased_at is null order by id limit $3',
      [shopId, after, Math.min(SLICE, limit - seen)],
    )
    const last = rows.at(-1)
    if (!last) return
    const members = await readMembers(
      shopId,
      rows.map((row) => toGid('Customer', row.id)),
    )
    yield* members.values()
    after = last.id
  }
}
