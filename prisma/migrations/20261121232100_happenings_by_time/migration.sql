-- CreateIndex
CREATE INDEX "ledger_transfers_event_at_idx" ON "ledger_transfers" USING BRIN ("event_at");
