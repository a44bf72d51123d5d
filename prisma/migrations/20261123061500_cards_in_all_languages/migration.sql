-- Program cards tell their texts in every language of the storefront. Those that are there are written again, a little later, when no process
-- of the version before writes them in English alone any more.
INSERT INTO "outbox" ("shop_id", "kind", "key", "payload", "state", "attempts", "due_at", "created_at")
SELECT "id", 'program-card', 'languages', '{}', 'waiting', 0, now() + interval '5 minutes', now()
  FROM "shops" s JOIN (SELECT DISTINCT "shop_id" FROM "programs") v ON v."shop_id" = s."id"
 WHERE "uninstalled_at" IS NULL;
