-- CreateTable
CREATE TABLE "points_flows" (
    "shop_id" INTEGER NOT NULL,
    "day" INTEGER NOT NULL,
    "from_account" TEXT NOT NULL,
    "to_account" TEXT NOT NULL,
    "points" BIGINT NOT NULL,

    CONSTRAINT "points_flows_pkey" PRIMARY KEY ("shop_id","day","from_account","to_account")
);

-- CreateTable
CREATE TABLE "points_flow_states" (
    "shop_id" INTEGER NOT NULL,
    "timezone" TEXT NOT NULL,
    "folded_id" BIGINT NOT NULL DEFAULT 0,
    "seen_id" BIGINT NOT NULL DEFAULT 0,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '-infinity',

    CONSTRAINT "points_flow_states_pkey" PRIMARY KEY ("shop_id")
);
