-- AlterTable
ALTER TABLE "campaigns" ADD COLUMN     "audience_at" TIMESTAMPTZ(3),
ADD COLUMN     "pauses" JSONB NOT NULL DEFAULT '[]';

-- CreateTable
CREATE TABLE "campaign_audiences" (
    "shop_id" INTEGER NOT NULL,
    "campaign_id" TEXT NOT NULL,
    "member_id" BIGINT NOT NULL,

    CONSTRAINT "campaign_audiences_pkey" PRIMARY KEY ("shop_id","campaign_id","member_id")
);
