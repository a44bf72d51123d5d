-- CreateTable
CREATE TABLE "measure_states" (
    "shop_id" INTEGER NOT NULL,
    "timezone" TEXT NOT NULL,
    "activity_days" INTEGER NOT NULL,
    "counted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "measure_states_pkey" PRIMARY KEY ("shop_id")
);

-- CreateTable
CREATE TABLE "measure_counters" (
    "shop_id" INTEGER NOT NULL,
    "kind" SMALLINT NOT NULL,
    "x" BIGINT NOT NULL,
    "y" INTEGER NOT NULL,
    "value" BIGINT NOT NULL,

    CONSTRAINT "measure_counters_pkey" PRIMARY KEY ("shop_id","kind","x","y")
);

-- CreateTable
CREATE TABLE "customer_standings" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "orders" INTEGER NOT NULL,
    "revenue_minor" BIGINT NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customer_standings_pkey" PRIMARY KEY ("shop_id","member_id")
);

-- CreateTable
CREATE TABLE "predictions" (
    "shop_id" INTEGER NOT NULL,
    "document" JSONB NOT NULL,
    "fitted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "predictions_pkey" PRIMARY KEY ("shop_id")
);

-- CreateTable
CREATE TABLE "customer_predictions" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "active" REAL NOT NULL,
    "orders" REAL NOT NULL,
    "value_minor" BIGINT,

    CONSTRAINT "customer_predictions_pkey" PRIMARY KEY ("shop_id","member_id")
);

-- CreateIndex
CREATE INDEX "customer_standings_shop_id_last_at_idx" ON "customer_standings"("shop_id", "last_at");

-- ── What Prisma cannot say ────────────────────────────────────────────────────────────────────────────────────────────

-- A customer's orders that count, in order of time: found, and read whole for a rebuild, without the orders' rows.
CREATE INDEX "orders_counted" ON "orders"("shop_id", "member_id", "placed_at") INCLUDE ("id", "goods_minor")
  WHERE "counts" AND "member_id" IS NOT NULL;
-- Counters change in place: room on each page keeps them off the index.
ALTER TABLE "measure_counters" SET (fillfactor = 60);
ALTER TABLE "customer_standings" ADD CONSTRAINT "customer_standings_orders" CHECK ("orders" > 0 AND "first_at" <= "last_at");
