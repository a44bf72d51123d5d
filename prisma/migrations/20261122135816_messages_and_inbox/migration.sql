-- That a message came, and what is in it, are kept apart: the one for some weeks, the other until it is worked on. To be done with a message is to
-- delete its row in the queue, where it was to write the row anew with two of its indexes; and what is old can go.
CREATE TABLE "messages" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "topic" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "webhook_id" TEXT NOT NULL,
    "triggered_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "source" TEXT NOT NULL,
    "ignored" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("shop_id","id")
);
INSERT INTO "messages" ("shop_id", "id", "topic", "event_id", "webhook_id", "triggered_at", "received_at", "source", "ignored")
SELECT "shop_id", "id", "topic", "event_id", "webhook_id", "triggered_at", "received_at", "source", "state" = 'ignored'
  FROM "inbox" ORDER BY "id";
SELECT setval('messages_id_seq', last_value, is_called) FROM "inbox_id_seq";
CREATE UNIQUE INDEX "messages_shop_id_topic_event_id_key" ON "messages"("shop_id", "topic", "event_id");
CREATE INDEX "messages_received_at_idx" ON "messages" USING BRIN ("received_at");

DELETE FROM "inbox" WHERE "state" NOT IN ('waiting', 'set-aside');
DROP INDEX "inbox_shop_id_topic_event_id_key";
-- The queue is short: its key leads to what waits as fast as an index of its own did.
DROP INDEX "inbox_waiting";
ALTER TABLE "inbox" DROP CONSTRAINT "inbox_state",
ADD CONSTRAINT "inbox_state" CHECK ("state" IN ('waiting', 'set-aside')),
DROP COLUMN "done_at",
DROP COLUMN "event_id",
DROP COLUMN "webhook_id",
ALTER COLUMN "id" DROP DEFAULT,
ALTER COLUMN "payload" SET NOT NULL,
ALTER COLUMN "source" DROP DEFAULT;
DROP SEQUENCE "inbox_id_seq";
