-- Nothing ever wrote or read them: names and addresses are asked of Shopify when a page shows them.
ALTER TABLE "members" DROP COLUMN "email",
DROP COLUMN "name";
