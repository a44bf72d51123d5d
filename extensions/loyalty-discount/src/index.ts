/** The Function's two exports, named as shopify.extension.toml names them; Shopify CLI wraps each in its run helper. */
export { cartLinesDiscountsGenerateRun } from './cart-lines.ts'
export { cartDeliveryOptionsDiscountsGenerateRun } from './delivery-options.ts'
