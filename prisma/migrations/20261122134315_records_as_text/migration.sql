-- The engine's records, one of each for every order, are kept as the text that they are written and read as: checking it cost as much as an
-- index, and few queries look inside.
ALTER TABLE "members" ALTER COLUMN "state" SET DATA TYPE TEXT;

-- The reasons stand in the record; names of orders were never stored, but asked of Shopify when they are shown.
ALTER TABLE "orders" DROP COLUMN "name",
DROP COLUMN "reasons",
ALTER COLUMN "facts" SET DATA TYPE TEXT;
