// Which shops have members to whom something happens by itself, and when. Plumbing: read across shops by jobs/nightly.
import { pool, type Queryable } from '#app/db/client.server.ts'

/** Notes that the shop has something due at `dueAt` (null: nothing). An earlier note stands: it will be found early, never late. */
export async function noteWorkDue(shopId: number, dueAt: number | null, client: Queryable = pool): Promise<void> {
  if (dueAt === null) return
  // Nearly always an earlier note is there. Looking first keeps every batch of a shop from locking this one row.
  const { rows } = await client.query<{ due_at: Date }>({
    name: 'find-work-due',
    text: 'select due_at from work_due where shop_id = $1',
    values: [shopId],
  })
  if (rows[0] && rows[0].due_at.getTime() <= dueAt) return
  await client.query(
    `insert into work_due (shop_id, due_at) values ($1, $2)
     on conflict (shop_id) do update set due_at = least(work_due.due_at, excluded.due_at)`,
    [shopId, new Date(dueAt)],
  )
}

/** Shops with something due by `at`, those due longest first. */
export async function listShopsWithWorkDue(at: number, limit: number): Promise<number[]> {
  const { rows } = await pool.query<{ shop_id: number }>(
    'select shop_id from work_due where due_at <= $1 order by due_at limit $2',
    [new Date(at), limit],
  )
  return rows.map((row) => row.shop_id)
}

/** After a shop's due members were seen to: notes when the next one is due, as its members' rows say. */
export async function renewWorkDue(shopId: number): Promise<void> {
  await pool.query(
    `insert into work_due (shop_id, due_at)
     select $1, due_at from (select min(next_due_at) as due_at from members where shop_id = $1) as next where due_at is not null
     on conflict (shop_id) do update set due_at = excluded.due_at`,
    [shopId],
  )
  await pool.query(
    `delete from work_due where shop_id = $1
      and not exists (select 1 from members where shop_id = $1 and next_due_at is not null)`,
    [shopId],
  )
}
