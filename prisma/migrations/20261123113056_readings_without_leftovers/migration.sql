-- Nothing ever read them: a bulk result's address is asked for each time, whether the past earns is the shop's setting.
-- AlterTable
ALTER TABLE "readings" DROP COLUMN "earns",
DROP COLUMN "from_at",
DROP COLUMN "until_at",
DROP COLUMN "url";
