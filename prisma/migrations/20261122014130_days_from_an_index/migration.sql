-- CreateIndex
CREATE INDEX "customer_standings_shop_id_first_at_idx" ON "customer_standings"("shop_id", "first_at");

-- Orders of some days are counted from this index alone. Its condition is always true: Prisma knows no INCLUDE, overlooks indexes
-- with a condition, and would take this one for a change of the schema otherwise.
DROP INDEX "orders_shop_id_placed_at_idx";
CREATE INDEX "orders_by_day" ON "orders"("shop_id", "placed_at") INCLUDE ("member_id", "goods_minor", "counts")
  WHERE "placed_at" IS NOT NULL;
