import { expect, it } from 'vitest'
import { pool, prisma } from '#app/db/client.server.ts'
import { makeShop } from '#test/setup/factories.ts'

it('a fresh database takes rows through Prisma and through SQL over the same connections', async () => {
  const shop = await makeShop({ domain: 'both-ways.myshopify.com' })
  const { rows } = await pool.query('select id, domain from shops where id = $1', [shop.id])
  expect(rows).toEqual([{ id: shop.id, domain: 'both-ways.myshopify.com' }])
  expect(await prisma.shop.count()).toBe(1)
})

it('refuses to change or delete what the ledger holds', async () => {
  const shop = await makeShop()
  const values = `(${shop.id}, 1, 'shop.issued', 'pending', 5, 'k', 'order', now(), now())`
  await pool.query(
    `insert into ledger_transfers (shop_id, member_id, from_account, to_account, amount, key, reason, event_at, created_at) values ${values}`,
  )
  await expect(pool.query('update ledger_transfers set amount = 6')).rejects.toThrow('append-only')
  await expect(pool.query('delete from ledger_transfers')).rejects.toThrow('append-only')
  await expect(pool.query('truncate ledger_transfers')).rejects.toThrow('append-only')
})
