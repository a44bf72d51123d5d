-- The record is read whole and never searched: as JSON text it is kept as it comes, without being taken apart first.
-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "facts" SET DATA TYPE JSON;

-- Rows that change with every order find room beside themselves, so that their indexes need not change with them.
ALTER TABLE "balances" SET (fillfactor = 80);
ALTER TABLE "members" SET (fillfactor = 80);
ALTER TABLE "inbox" SET (autovacuum_vacuum_scale_factor = 0.05);

DO $$ BEGIN
  ALTER TABLE "orders" ALTER COLUMN "facts" SET COMPRESSION lz4;
  ALTER TABLE "members" ALTER COLUMN "state" SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
