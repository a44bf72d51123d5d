import { prisma } from '#app/db/client.server.ts'

let made = 0

/** An installed shop with a domain of its own; returns its row. The defaults are a Berlin shop that sells in euros. */
export async function makeShop(
  shop: { domain?: string; currency?: string; timezone?: string; installedAt?: Date | null; uninstalledAt?: Date } = {},
) {
  made += 1
  const at = new Date('2026-01-01T00:00:00Z')
  return prisma.shop.create({
    data: {
      domain: `shop-${made}-${process.pid}.myshopify.com`,
      currency: 'EUR',
      timezone: 'Europe/Berlin',
      installedAt: at,
      createdAt: at,
      ...shop,
    },
  })
}

/** A member with that customer number and nothing to its name yet; returns its row. */
export async function makeMember(shopId: number, id: bigint | number, member: { name?: string; email?: string } = {}) {
  const at = new Date('2026-01-01T00:00:00Z')
  const row = await prisma.member.create({
    data: { shopId, id: BigInt(id), joinedAt: at, updatedAt: at, ...member },
  })
  await prisma.balance.create({ data: { shopId, memberId: row.id } })
  return row
}
