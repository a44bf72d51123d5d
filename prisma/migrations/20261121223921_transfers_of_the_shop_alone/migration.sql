-- AlterTable
ALTER TABLE "ledger_transfers" ALTER COLUMN "member_id" DROP NOT NULL;
