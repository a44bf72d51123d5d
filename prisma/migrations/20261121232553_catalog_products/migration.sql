-- CreateTable
CREATE TABLE "catalog_products" (
    "shop_id" INTEGER NOT NULL,
    "id" BIGINT NOT NULL,
    "collections" BIGINT[],
    "tags" TEXT[],
    "compare_at_minor" BIGINT,
    "read_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "catalog_products_pkey" PRIMARY KEY ("shop_id","id")
);
