-- Orders of a shop that never publishes a program wait for ever. What needs no rules is found among them without reading them all, every few
-- seconds. The topics are those of RULELESS_TOPICS in app/db/inbox.server.ts.
CREATE INDEX "inbox_ruleless" ON "inbox"("shop_id", "id")
    WHERE "topic" IN ('app/scopes_update', 'app/uninstalled', 'bulk_operations/finish', 'customers/data_request', 'customers/redact', 'shop/redact');
