-- AlterTable
ALTER TABLE "catalog_products" ADD COLUMN     "type" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "customer_standings" ADD COLUMN     "lost_at" TIMESTAMPTZ(3),
ADD COLUMN     "passive_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "measure_states" ADD COLUMN     "cycles" JSONB;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "cycle_days" INTEGER;

-- CreateTable
CREATE TABLE "feedback_answers" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "round" INTEGER NOT NULL,
    "score" SMALLINT NOT NULL,
    "comment" TEXT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "answered_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "feedback_answers_pkey" PRIMARY KEY ("shop_id","member_id","round")
);

-- CreateTable
CREATE TABLE "customer_lists" (
    "shop_id" INTEGER NOT NULL,
    "tag" TEXT NOT NULL,
    "group_name" TEXT NOT NULL,
    "wish" TEXT NOT NULL,
    "customers" INTEGER NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,
    "asked_by" TEXT,
    "finished_at" TIMESTAMPTZ(3),
    "segment_gid" TEXT,
    "error" TEXT,

    CONSTRAINT "customer_lists_pkey" PRIMARY KEY ("shop_id","tag")
);

-- CreateTable
CREATE TABLE "customer_list_members" (
    "shop_id" INTEGER NOT NULL,
    "tag" TEXT NOT NULL,
    "member_id" BIGINT NOT NULL,
    "state" TEXT NOT NULL,

    CONSTRAINT "customer_list_members_pkey" PRIMARY KEY ("shop_id","tag","member_id")
);

-- CreateIndex
CREATE INDEX "feedback_answers_shop_id_answered_at_idx" ON "feedback_answers"("shop_id", "answered_at");

-- CreateIndex
CREATE INDEX "customer_list_members_shop_id_member_id_idx" ON "customer_list_members"("shop_id", "member_id");

-- CreateIndex
CREATE INDEX "customer_list_members_shop_id_tag_state_idx" ON "customer_list_members"("shop_id", "tag", "state");

-- AddForeignKey
ALTER TABLE "customer_list_members" ADD CONSTRAINT "customer_list_members_shop_id_tag_fkey" FOREIGN KEY ("shop_id", "tag") REFERENCES "customer_lists"("shop_id", "tag") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Only customers to whom a replacement cycle applies: all others cost this index nothing.
CREATE INDEX "customer_standings_own_limits_idx" ON "customer_standings"("shop_id", "passive_at", "lost_at") WHERE "passive_at" IS NOT NULL;

-- Rules that Prisma cannot say.
ALTER TABLE "feedback_answers" ADD CONSTRAINT "feedback_answers_score_check" CHECK ("score" BETWEEN 0 AND 10);
ALTER TABLE "feedback_answers" ADD CONSTRAINT "feedback_answers_comment_check" CHECK (length("comment") BETWEEN 1 AND 1000);
ALTER TABLE "customer_standings" ADD CONSTRAINT "customer_standings_limits_check" CHECK (("passive_at" IS NULL) = ("lost_at" IS NULL));
ALTER TABLE "customer_lists" ADD CONSTRAINT "customer_lists_wish_check" CHECK ("wish" IN ('tag', 'untag'));
ALTER TABLE "customer_list_members" ADD CONSTRAINT "customer_list_members_state_check" CHECK ("state" IN ('add', 'tagged', 'remove', 'unknown'));
