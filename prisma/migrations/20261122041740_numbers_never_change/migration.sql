-- What a row is known by never changes, and Citus takes no foreign key that would follow it on update.
-- DropForeignKey
ALTER TABLE "codes" DROP CONSTRAINT "codes_shop_id_pool_id_fkey";

-- DropForeignKey
ALTER TABLE "customer_list_members" DROP CONSTRAINT "customer_list_members_shop_id_tag_fkey";

-- DropForeignKey
ALTER TABLE "import_lines" DROP CONSTRAINT "import_lines_shop_id_import_id_fkey";

-- DropForeignKey
ALTER TABLE "member_aliases" DROP CONSTRAINT "member_aliases_shop_id_member_id_fkey";

-- DropForeignKey
ALTER TABLE "redemptions" DROP CONSTRAINT "redemptions_shop_id_member_id_fkey";

-- AddForeignKey
ALTER TABLE "member_aliases" ADD CONSTRAINT "member_aliases_shop_id_member_id_fkey" FOREIGN KEY ("shop_id", "member_id") REFERENCES "members"("shop_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "customer_list_members" ADD CONSTRAINT "customer_list_members_shop_id_tag_fkey" FOREIGN KEY ("shop_id", "tag") REFERENCES "customer_lists"("shop_id", "tag") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "redemptions" ADD CONSTRAINT "redemptions_shop_id_member_id_fkey" FOREIGN KEY ("shop_id", "member_id") REFERENCES "members"("shop_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "codes" ADD CONSTRAINT "codes_shop_id_pool_id_fkey" FOREIGN KEY ("shop_id", "pool_id") REFERENCES "code_pools"("shop_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "import_lines" ADD CONSTRAINT "import_lines_shop_id_import_id_fkey" FOREIGN KEY ("shop_id", "import_id") REFERENCES "imports"("shop_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;
