-- Four times a second a worker asks which shops have something due. By kind, so that a hundred thousand cards that wait for Shopify are not
-- read to find that no file waits.
DROP INDEX "outbox_waiting";
CREATE INDEX "outbox_due" ON "outbox"("kind", "due_at", "id") WHERE "state" = 'waiting';
