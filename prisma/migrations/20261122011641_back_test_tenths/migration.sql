-- AlterTable
ALTER TABLE "customer_predictions" ADD COLUMN     "tenth" SMALLINT;

-- AlterTable
ALTER TABLE "points_flow_states" ALTER COLUMN "seen_at" DROP NOT NULL,
ALTER COLUMN "seen_at" DROP DEFAULT;
