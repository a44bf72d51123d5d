-- A message is always looked for within its shop; and the latest of a shop are found without passing by everybody else's.
ALTER TABLE "inbox" DROP CONSTRAINT "inbox_pkey",
ADD CONSTRAINT "inbox_pkey" PRIMARY KEY ("shop_id", "id");

-- A body is written once, read once and then emptied. Within its row that is one write and one read; beside it, three of each.
-- Only bodies that fill a page by themselves are packed, and lie beside the row where that is not enough.
ALTER TABLE "inbox" ALTER COLUMN "payload" SET STORAGE EXTENDED;
ALTER TABLE "inbox" SET (toast_tuple_target = 8160);
UPDATE "inbox" SET "payload" = NULL WHERE "state" IN ('done', 'ignored') AND "payload" IS NOT NULL;
