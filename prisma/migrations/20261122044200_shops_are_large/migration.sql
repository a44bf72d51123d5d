-- A plan that is made once for whatever shop (db/plans.server.ts) goes by how many rows a shop has on average. Averages say little: most
-- shops are small, most orders are those of large ones. Plans for one shop that has all the rows look each up by its key, which is right
-- for small ones too. Taken over with the next statistics.
ALTER TABLE "members" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "balances" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "lots" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "ledger_transfers" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "orders" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "customer_standings" ALTER COLUMN "shop_id" SET (n_distinct = 1);
ALTER TABLE "redemptions" ALTER COLUMN "shop_id" SET (n_distinct = 1);
