-- Every order changes when its customer last bought. Without an index on that the row is changed where it stands, in the room that its page
-- keeps for it, and no index is touched. Who bought last on a day is found by that day's orders.
DROP INDEX "customer_standings_shop_id_last_at_idx";
ALTER TABLE "customer_standings" SET (fillfactor = 60);
