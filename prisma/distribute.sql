-- Past one machine: turns the tables of the business into Citus tables, distributed by shop. Run it once, on a migrated database
-- with the citus extension, while no app process is running:
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v app_role=perennial -f prisma/distribute.sql
--
-- Nothing in the app changes: every statement on these tables names one shop (test/db/distribution.test.ts), so each goes to the
-- one node that holds the shop. What stays local on the coordinator is plumbing that is read across shops, so every process
-- connects to the coordinator. Run with Citus 14.0.1 on PostgreSQL 18.6: a coordinator and two workers.
--
-- Later migrations: Prisma sends a file at once, of which Citus takes one statement at a time. So each one, before the new version
-- of the app starts, with create_distributed_table for a new table of the business (and it is written down as applied). One that
-- picks shops by what a distributed table holds joins them with (SELECT DISTINCT shop_id …) of it: Citus takes no EXISTS or IN there.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -1 -f prisma/migrations/NAME/migration.sql
--   psql "$DATABASE_URL" -c "insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
--     values (gen_random_uuid(), '$(sha256sum < prisma/migrations/NAME/migration.sql | cut -c1-64)', 'NAME', now(), 1)"

BEGIN;

-- Citus distrusts triggers, which could reach into other tables. Those of the ledger reach nowhere: they refuse, on whatever node.
SET LOCAL citus.enable_unsafe_triggers = on;

-- Shops are few, small and joined with everything: a copy on every node.
SELECT create_reference_table('shops');

-- The order follows the foreign keys. All share one co-location group, so that a shop's rows lie together and keep theirs.
SELECT create_distributed_table('members', 'shop_id');
SELECT create_distributed_table('member_aliases', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('ledger_transfers', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('points_flows', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('points_flow_deltas', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('points_flow_states', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('balances', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('lots', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('facts', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('adjustments', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('orders', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('redemptions', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('code_pools', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('codes', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('programs', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('program_drafts', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('campaigns', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('campaign_audiences', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('catalog_products', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('imports', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('import_lines', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('expiry_reminders', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('readings', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('privacy_requests', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('measure_states', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('measure_counters', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('measure_deltas', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('customer_standings', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('predictions', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('customer_predictions', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('feedback_answers', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('customer_lists', 'shop_id', colocate_with => 'members');
SELECT create_distributed_table('customer_list_members', 'shop_id', colocate_with => 'members');

-- Local, on the coordinator: sessions, messages, inbox, outbox, work_due, Prisma's _prisma_migrations and graphile-worker's own schema.

-- What stood here before was copied to the nodes; the originals, which nobody sees any more, go. The ledger's guard would refuse that.
ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_no_truncate;
SELECT truncate_local_data_after_distributing_table(logicalrelid) FROM pg_dist_partition WHERE partmethod IN ('h', 'n');
ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_no_truncate;

REVOKE UPDATE, DELETE, TRUNCATE ON ledger_transfers FROM :app_role;

-- Citus finds the node of a shop while it plans: a plan for any shop, which PostgreSQL tries after five times, goes to all nodes.
ALTER DATABASE :"DBNAME" SET plan_cache_mode = force_custom_plan;

COMMIT;
