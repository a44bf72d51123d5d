// The catalogue: what an order's lines do not say of their products (loyalty/catalog.ts), as it was last read from Shopify.
import { instants, numbers, texts } from '#app/db/arrays.ts'
import { pool, type Queryable } from '#app/db/client.server.ts'
import type { Catalog, ListedProduct } from '#app/loyalty/catalog.ts'
import { numberOfGid, toGid } from '#app/loyalty/ids.ts'

/** What is known of these products (gids). */
export async function loadCatalog(
  shopId: number,
  products: readonly string[],
  client: Queryable = pool,
): Promise<Catalog> {
  if (products.length === 0) return new Map()
  const { rows } = await client.query<{
    id: string
    collections: string[]
    tags: string[]
    compare_at_minor: string | null
  }>({
    name: 'load-catalog',
    text: `select id, collections, tags, compare_at_minor from catalog_products where shop_id = $1 and id = any($2::bigint[])`,
    values: [shopId, numbers(products.map((product) => numberOfGid(product, 'Product')))],
  })
  return new Map(
    rows.map((row) => [
      toGid('Product', row.id),
      {
        collections: row.collections.map((collection) => toGid('Collection', collection)),
        tags: row.tags,
        compareAtMinor: row.compare_at_minor === null ? null : Number(row.compare_at_minor),
      },
    ]),
  )
}

/** Type and tags of these products (gids), as far as the catalogue has them. */
export async function loadKinds(
  shopId: number,
  products: readonly string[],
  client: Queryable = pool,
): Promise<Map<string, { type: string; tags: string[] }>> {
  if (products.length === 0) return new Map()
  const { rows } = await client.query<{ id: string; type: string; tags: string[] }>({
    name: 'load-kinds',
    text: 'select id, type, tags from catalog_products where shop_id = $1 and id = any($2::bigint[])',
    values: [shopId, numbers(products.map((product) => numberOfGid(product, 'Product')))],
  })
  return new Map(rows.map(({ id, type, tags }) => [toGid('Product', id), { type, tags }]))
}

/** Keeps what was read of products (by gid). */
export async function saveCatalog(
  shopId: number,
  catalog: ReadonlyMap<string, ListedProduct>,
  at: number,
  client: Queryable = pool,
): Promise<void> {
  const products = [...catalog]
  if (products.length === 0) return
  await client.query(
    `insert into catalog_products (shop_id, id, collections, tags, compare_at_minor, read_at, type)
     select $1, id, array(select jsonb_array_elements_text(collections::jsonb)::bigint),
            array(select jsonb_array_elements_text(tags::jsonb)), compare_at_minor, read_at, type
       from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[])
         as g (id, collections, tags, compare_at_minor, read_at, type)
     on conflict (shop_id, id) do update set collections = excluded.collections, tags = excluded.tags, type = excluded.type,
            compare_at_minor = excluded.compare_at_minor, read_at = excluded.read_at`,
    [
      shopId,
      numbers(products.map(([gid]) => numberOfGid(gid, 'Product'))),
      texts(
        products.map(([, { collections }]) => JSON.stringify(collections.map((gid) => numberOfGid(gid, 'Collection')))),
      ),
      texts(products.map(([, { tags }]) => JSON.stringify(tags))),
      numbers(products.map(([, { compareAtMinor }]) => compareAtMinor)),
      instants(products.map(() => at)),
      texts(products.map(([, { type }]) => type)),
    ],
  )
}
