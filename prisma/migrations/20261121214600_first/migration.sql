-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "shop" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "isOnline" BOOLEAN NOT NULL DEFAULT false,
    "scope" TEXT,
    "expires" TIMESTAMPTZ(3),
    "accessToken" TEXT NOT NULL,
    "userId" BIGINT,
    "firstName" TEXT,
    "lastName" TEXT,
    "email" TEXT,
    "accountOwner" BOOLEAN NOT NULL DEFAULT false,
    "locale" TEXT,
    "collaborator" BOOLEAN DEFAULT false,
    "emailVerified" BOOLEAN DEFAULT false,
    "refreshToken" TEXT,
    "refreshTokenExpires" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "inbox" (
    "id" BIGSERIAL NOT NULL,
    "shop_id" INTEGER NOT NULL,
    "topic" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "webhook_id" TEXT NOT NULL,
    "triggered_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "payload" TEXT,
    "source" TEXT NOT NULL DEFAULT 'webhook',
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "error" TEXT,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" BIGSERIAL NOT NULL,
    "shop_id" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "done_at" TIMESTAMPTZ(3),
    "error" TEXT,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "work_due" (
    "shop_id" INTEGER NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "work_due_pkey" PRIMARY KEY ("shop_id")
);

-- CreateTable
CREATE TABLE "shops" (
    "id" SERIAL NOT NULL,
    "domain" TEXT NOT NULL,
    "name" TEXT,
    "currency" TEXT NOT NULL DEFAULT 'USD',
    "timezone" TEXT NOT NULL DEFAULT 'UTC',
    "email" TEXT,
    "plan" TEXT,
    "scopes" TEXT,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "installed_at" TIMESTAMPTZ(3),
    "uninstalled_at" TIMESTAMPTZ(3),
    "erased_at" TIMESTAMPTZ(3),
    "orders_read_until" TIMESTAMPTZ(3),
    "customers_read_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "shops_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "programs" (
    "shop_id" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "document" JSONB NOT NULL,
    "effective_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT,
    "note" TEXT,

    CONSTRAINT "programs_pkey" PRIMARY KEY ("shop_id","version")
);

-- CreateTable
CREATE TABLE "program_drafts" (
    "shop_id" INTEGER NOT NULL,
    "document" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_by" TEXT,

    CONSTRAINT "program_drafts_pkey" PRIMARY KEY ("shop_id")
);

-- CreateTable
CREATE TABLE "campaigns" (
    "shop_id" INTEGER NOT NULL,
    "id" TEXT NOT NULL,
    "discount_gid" TEXT,
    "given_minor" BIGINT NOT NULL DEFAULT 0,
    "orders" INTEGER NOT NULL DEFAULT 0,
    "ended_at" TIMESTAMPTZ(3),
    "ended_reason" TEXT,
    "override_reason" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "campaigns_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "members" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGINT NOT NULL,
    "name" TEXT,
    "email" TEXT,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "tier" TEXT,
    "tier_since" TIMESTAMPTZ(3),
    "state" JSONB NOT NULL DEFAULT '{}',
    "next_due_at" TIMESTAMPTZ(3),
    "erased_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "members_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "member_aliases" (
    "shop_id" INTEGER NOT NULL,
    "alias_id" BIGINT NOT NULL,
    "member_id" BIGINT NOT NULL,
    "merged_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "member_aliases_pkey" PRIMARY KEY ("shop_id","alias_id")
);

-- CreateTable
CREATE TABLE "ledger_transfers" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "member_id" BIGINT NOT NULL,
    "from_account" TEXT NOT NULL,
    "to_account" TEXT NOT NULL,
    "counter_member_id" BIGINT,
    "amount" BIGINT NOT NULL,
    "key" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "source" TEXT,
    "event_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "reverses" TEXT,

    CONSTRAINT "ledger_transfers_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "balances" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "pending" BIGINT NOT NULL DEFAULT 0,
    "available" BIGINT NOT NULL DEFAULT 0,
    "reserved" BIGINT NOT NULL DEFAULT 0,
    "deficit" BIGINT NOT NULL DEFAULT 0,
    "lifetime_earned" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "balances_pkey" PRIMARY KEY ("shop_id","member_id")
);

-- CreateTable
CREATE TABLE "lots" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "key" TEXT NOT NULL,
    "order_id" BIGINT,
    "pending" BIGINT NOT NULL DEFAULT 0,
    "available" BIGINT NOT NULL DEFAULT 0,
    "earned_at" TIMESTAMPTZ(3) NOT NULL,
    "release_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "lots_pkey" PRIMARY KEY ("shop_id","member_id","key")
);

-- CreateTable
CREATE TABLE "facts" (
    "shop_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "member_id" BIGINT NOT NULL,
    "data" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "facts_pkey" PRIMARY KEY ("shop_id","key")
);

-- CreateTable
CREATE TABLE "adjustments" (
    "shop_id" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "member_id" BIGINT NOT NULL,
    "points" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "counts_for_tiers" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "adjustments_pkey" PRIMARY KEY ("shop_id","key")
);

-- CreateTable
CREATE TABLE "orders" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGINT NOT NULL,
    "member_id" BIGINT,
    "name" TEXT,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "triggered_at" TIMESTAMPTZ(3) NOT NULL,
    "paid_at" TIMESTAMPTZ(3),
    "goods_minor" BIGINT NOT NULL DEFAULT 0,
    "placed_minor" BIGINT NOT NULL DEFAULT 0,
    "counts" BOOLEAN NOT NULL DEFAULT false,
    "points" BIGINT NOT NULL DEFAULT 0,
    "program_version" INTEGER,
    "tier" TEXT,
    "codes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "facts" JSONB NOT NULL,
    "reasons" JSONB NOT NULL DEFAULT '[]',

    CONSTRAINT "orders_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "redemptions" (
    "shop_id" INTEGER NOT NULL,
    "id" TEXT NOT NULL,
    "member_id" BIGINT NOT NULL,
    "reward_id" TEXT NOT NULL,
    "program_version" INTEGER,
    "type" TEXT NOT NULL,
    "points" BIGINT NOT NULL,
    "value" TEXT,
    "key" TEXT,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "draws" JSONB NOT NULL DEFAULT '[]',
    "returned_points" BIGINT NOT NULL DEFAULT 0,
    "order_id" BIGINT,
    "error" TEXT,
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "reserved_at" TIMESTAMPTZ(3) NOT NULL,
    "issued_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "used_at" TIMESTAMPTZ(3),
    "returned_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "moves" INTEGER NOT NULL DEFAULT 0,
    "cancelled_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "redemptions_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "code_pools" (
    "shop_id" INTEGER NOT NULL,
    "id" TEXT NOT NULL,
    "reward_id" TEXT NOT NULL,
    "terms" TEXT NOT NULL,
    "discount_gid" TEXT,
    "title" TEXT NOT NULL,
    "target" INTEGER NOT NULL DEFAULT 50,
    "state" TEXT NOT NULL DEFAULT 'new',
    "creation_gid" TEXT,
    "error" TEXT,
    "filled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "code_pools_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "codes" (
    "shop_id" INTEGER NOT NULL,
    "code" TEXT NOT NULL,
    "pool_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "redemption_id" TEXT,
    "gid" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "taken_at" TIMESTAMPTZ(3),

    CONSTRAINT "codes_pkey" PRIMARY KEY ("shop_id","code")
);

-- CreateTable
CREATE TABLE "readings" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "operation_gid" TEXT,
    "url" TEXT,
    "from_at" TIMESTAMPTZ(3),
    "until_at" TIMESTAMPTZ(3),
    "earns" BOOLEAN NOT NULL DEFAULT true,
    "position" BIGINT NOT NULL DEFAULT 0,
    "total" BIGINT,
    "mended" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "readings_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "privacy_requests" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "topic" TEXT NOT NULL,
    "member_id" BIGINT,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "answer" JSONB,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "privacy_requests_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateIndex
CREATE INDEX "sessions_shop_idx" ON "sessions"("shop");

-- CreateIndex
CREATE UNIQUE INDEX "inbox_shop_id_topic_event_id_key" ON "inbox"("shop_id", "topic", "event_id");

-- CreateIndex
CREATE INDEX "outbox_shop_id_kind_key_idx" ON "outbox"("shop_id", "kind", "key");

-- CreateIndex
CREATE INDEX "work_due_due_at_idx" ON "work_due"("due_at");

-- CreateIndex
CREATE UNIQUE INDEX "shops_domain_key" ON "shops"("domain");

-- CreateIndex
CREATE INDEX "members_shop_id_next_due_at_idx" ON "members"("shop_id", "next_due_at");

-- CreateIndex
CREATE INDEX "members_shop_id_joined_at_idx" ON "members"("shop_id", "joined_at");

-- CreateIndex
CREATE INDEX "member_aliases_shop_id_member_id_idx" ON "member_aliases"("shop_id", "member_id");

-- CreateIndex
CREATE INDEX "ledger_transfers_shop_id_member_id_event_at_idx" ON "ledger_transfers"("shop_id", "member_id", "event_at");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_transfers_shop_id_key_key" ON "ledger_transfers"("shop_id", "key");

-- CreateIndex
CREATE INDEX "lots_shop_id_expires_at_idx" ON "lots"("shop_id", "expires_at");

-- CreateIndex
CREATE INDEX "adjustments_shop_id_member_id_idx" ON "adjustments"("shop_id", "member_id");

-- CreateIndex
CREATE INDEX "orders_shop_id_member_id_placed_at_idx" ON "orders"("shop_id", "member_id", "placed_at");

-- CreateIndex
CREATE INDEX "orders_shop_id_placed_at_idx" ON "orders"("shop_id", "placed_at");

-- CreateIndex
CREATE INDEX "redemptions_shop_id_member_id_reserved_at_idx" ON "redemptions"("shop_id", "member_id", "reserved_at");

-- CreateIndex
CREATE INDEX "redemptions_shop_id_state_reserved_at_idx" ON "redemptions"("shop_id", "state", "reserved_at");

-- CreateIndex
CREATE UNIQUE INDEX "redemptions_shop_id_key_key" ON "redemptions"("shop_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "redemptions_shop_id_code_key" ON "redemptions"("shop_id", "code");

-- CreateIndex
CREATE UNIQUE INDEX "code_pools_shop_id_reward_id_terms_key" ON "code_pools"("shop_id", "reward_id", "terms");

-- CreateIndex
CREATE INDEX "codes_shop_id_pool_id_state_idx" ON "codes"("shop_id", "pool_id", "state");

-- CreateIndex
CREATE INDEX "codes_shop_id_redemption_id_idx" ON "codes"("shop_id", "redemption_id");

-- CreateIndex
CREATE INDEX "readings_shop_id_kind_started_at_idx" ON "readings"("shop_id", "kind", "started_at");

-- AddForeignKey
ALTER TABLE "member_aliases" ADD CONSTRAINT "member_aliases_shop_id_member_id_fkey" FOREIGN KEY ("shop_id", "member_id") REFERENCES "members"("shop_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "redemptions" ADD CONSTRAINT "redemptions_shop_id_member_id_fkey" FOREIGN KEY ("shop_id", "member_id") REFERENCES "members"("shop_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "codes" ADD CONSTRAINT "codes_shop_id_pool_id_fkey" FOREIGN KEY ("shop_id", "pool_id") REFERENCES "code_pools"("shop_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ── What Prisma cannot say ────────────────────────────────────────────────────────────────────────────────────────────

-- The queues are read from their waiting end only.
CREATE INDEX "inbox_waiting" ON "inbox"("shop_id", "id") WHERE "state" = 'waiting';
CREATE INDEX "inbox_set_aside" ON "inbox"("shop_id", "id") WHERE "state" = 'set-aside';
CREATE INDEX "outbox_waiting" ON "outbox"("due_at", "id") WHERE "state" = 'waiting';
ALTER TABLE "inbox" ADD CONSTRAINT "inbox_state" CHECK ("state" IN ('waiting', 'done', 'ignored', 'set-aside'));

-- A waiting effect is replaced by a newer one with its key, so there is never more than one.
CREATE UNIQUE INDEX "outbox_one_waiting" ON "outbox"("shop_id", "kind", "key") WHERE "state" = 'waiting';

-- Points move between two different accounts, in one direction, whole and at least one.
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_amount" CHECK ("amount" > 0);
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_accounts" CHECK (
  ("from_account" <> "to_account" OR "counter_member_id" IS NOT NULL)
  AND "from_account" ~ '^(pending|available|reserved|shop\.[a-z_]+)$'
  AND "to_account" ~ '^(pending|available|reserved|shop\.[a-z_]+)$'
);
-- Only `available` may be below zero (SEMANTICS 16); nobody waits for or reserves less than nothing.
ALTER TABLE "balances" ADD CONSTRAINT "balances_not_negative" CHECK ("pending" >= 0 AND "reserved" >= 0);
ALTER TABLE "lots" ADD CONSTRAINT "lots_not_negative" CHECK ("pending" >= 0 AND "available" >= 0);
ALTER TABLE "redemptions" ADD CONSTRAINT "redemptions_points" CHECK ("points" > 0 AND "returned_points" BETWEEN 0 AND "points");
ALTER TABLE "programs" ADD CONSTRAINT "programs_version" CHECK ("version" > 0);
CREATE INDEX "ledger_transfers_counter_member" ON "ledger_transfers"("shop_id", "counter_member_id", "event_at") WHERE "counter_member_id" IS NOT NULL;

-- The ledger is append-only. (Citus distributes no table with triggers: there, distribute.sql takes the right to update
-- and delete away from the app's role instead.)
CREATE FUNCTION "refuse_ledger_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ledger_transfers is append-only: correct transfer % with a new one that names it', OLD.id
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "ledger_transfers_append_only" BEFORE UPDATE OR DELETE ON "ledger_transfers"
  FOR EACH ROW EXECUTE FUNCTION "refuse_ledger_change"();
CREATE FUNCTION "refuse_ledger_truncate"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ledger_transfers is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "ledger_transfers_no_truncate" BEFORE TRUNCATE ON "ledger_transfers"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_ledger_truncate"();

-- Message bodies and order records are read once or twice and never searched: the fast compression where the server has it.
DO $$ BEGIN
  ALTER TABLE "inbox" ALTER COLUMN "payload" SET COMPRESSION lz4;
  ALTER TABLE "orders" ALTER COLUMN "facts" SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
