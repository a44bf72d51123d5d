-- CreateTable
CREATE TABLE "imports" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "digest" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "header" JSONB NOT NULL,
    "mapping" JSONB NOT NULL,
    "lines" INTEGER NOT NULL DEFAULT 0,
    "actor" TEXT NOT NULL,
    "error" TEXT,
    "uploaded_at" TIMESTAMPTZ(3) NOT NULL,
    "applied_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "imports_pkey" PRIMARY KEY ("shop_id","id")
);

-- CreateTable
CREATE TABLE "import_lines" (
    "shop_id" INTEGER NOT NULL,
    "import_id" BIGINT NOT NULL,
    "line" INTEGER NOT NULL,
    "fields" TEXT,
    "state" TEXT NOT NULL DEFAULT 'raw',
    "member_id" BIGINT,
    "known" BOOLEAN NOT NULL DEFAULT false,
    "account_state" TEXT,
    "points" BIGINT NOT NULL DEFAULT 0,
    "tier" TEXT,
    "birthday" TEXT,
    "last_day" TEXT,
    "problems" JSONB NOT NULL DEFAULT '[]',
    "filled" BIGINT NOT NULL DEFAULT 0,
    "taken_back" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "import_lines_pkey" PRIMARY KEY ("shop_id","import_id","line")
);

-- CreateTable
CREATE TABLE "expiry_reminders" (
    "shop_id" INTEGER NOT NULL,
    "member_id" BIGINT NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "days" SMALLINT NOT NULL,
    "queued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "expiry_reminders_pkey" PRIMARY KEY ("shop_id","member_id","ends_at","days")
);

-- CreateIndex
CREATE INDEX "imports_shop_id_state_idx" ON "imports"("shop_id", "state");

-- CreateIndex
CREATE INDEX "import_lines_shop_id_import_id_state_line_idx" ON "import_lines"("shop_id", "import_id", "state", "line");

-- CreateIndex
CREATE INDEX "import_lines_shop_id_member_id_idx" ON "import_lines"("shop_id", "member_id");

-- AddForeignKey
ALTER TABLE "import_lines" ADD CONSTRAINT "import_lines_shop_id_import_id_fkey" FOREIGN KEY ("shop_id", "import_id") REFERENCES "imports"("shop_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma cannot say.
ALTER TABLE "imports" ADD CONSTRAINT "imports_state_check" CHECK ("state" IN
  ('uploading', 'matching', 'checking', 'checked', 'applying', 'done', 'undoing', 'undone', 'discarded'));
ALTER TABLE "import_lines" ADD CONSTRAINT "import_lines_state_check" CHECK ("state" IN
  ('raw', 'ready', 'refused', 'given', 'back'));
ALTER TABLE "import_lines" ADD CONSTRAINT "import_lines_points_check" CHECK
  ("points" >= 0 AND "filled" BETWEEN 0 AND "points" AND "taken_back" BETWEEN 0 AND "points");
ALTER TABLE "expiry_reminders" ADD CONSTRAINT "expiry_reminders_days_check" CHECK ("days" IN (30, 3));
