-- AlterTable
ALTER TABLE "campaigns" ADD COLUMN     "paused_at" TIMESTAMPTZ(3);
