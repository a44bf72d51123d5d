-- CreateTable
CREATE TABLE "measure_deltas" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "changes" TEXT NOT NULL,

    CONSTRAINT "measure_deltas_pkey" PRIMARY KEY ("shop_id","id")
);

-- ── What Prisma cannot say ────────────────────────────────────────────────────────────────────────────────────────────

-- A delta lives for a moment: packing it away would cost more than it takes.
ALTER TABLE "measure_deltas" ALTER COLUMN "changes" SET STORAGE EXTERNAL;
