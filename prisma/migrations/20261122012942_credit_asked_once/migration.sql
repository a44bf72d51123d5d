-- AlterTable
ALTER TABLE "redemptions" ADD COLUMN     "credit_asked_at" TIMESTAMPTZ(3);
