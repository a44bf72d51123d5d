/**
 * What Shopify hands to the Function: the shapes of src/*.graphql, written by hand so that nothing has to be generated
 * before the tests run (the fixtures prove that shapes, queries and Shopify's schema agree). Everything that our app wrote
 * is `unknown` here: it may be old, cut off or absent, and is read by configuration.ts.
 */

export type DiscountClass = 'PRODUCT' | 'ORDER' | 'SHIPPING'

/** One line of the cart, with money as Shopify's decimal text in the cart's currency. */
export type CartLine = {
  id: string
  cost: {
    subtotalAmount: { amount: string }
    amountPerQuantity: { amount: string }
    compareAtAmountPerQuantity: { amount: string } | null
  }
  merchandise: {
    __typename?: string
    product?: { id: string; isGiftCard: boolean; inAnyCollection: boolean }
    isGiftCard?: boolean
  }
}

/** The input of `cart.lines.discounts.generate.run`. */
export type CartLinesInput = {
  presentmentCurrencyRate: string | number
  discount: { discountClasses: DiscountClass[]; metafield: { jsonValue: unknown } | null }
  cart: {
    buyerIdentity: {
      isAuthenticated: boolean
      customer: { metafield: { jsonValue: unknown } | null } | null
    } | null
    cost: { subtotalAmount: { currencyCode: string } }
    lines: CartLine[]
  }
}

/** The input of `cart.delivery-options.discounts.generate.run`. */
export type DeliveryOptionsInput = CartLinesInput & { cart: { deliveryGroups: { id: string }[] } }

type Percentage = { percentage: { value: string } }
type FixedAmount = { fixedAmount: { amount: string } }

export type OrderCandidate = {
  message: string
  targets: [{ orderSubtotal: { excludedCartLineIds: string[] } }]
  value: Percentage | FixedAmount
}
export type ProductCandidate = {
  message: string
  targets: { cartLine: { id: string } }[]
  value: Percentage | FixedAmount
}
export type DeliveryCandidate = {
  message: string
  targets: { deliveryGroup: { id: string } }[]
  value: Percentage
}

/** The answer of the cart-lines target. */
export type CartLinesResult = {
  operations: (
    | { orderDiscountsAdd: { selectionStrategy: 'MAXIMUM'; candidates: OrderCandidate[] } }
    | { productDiscountsAdd: { selectionStrategy: 'MAXIMUM'; candidates: ProductCandidate[] } }
  )[]
}

/** The answer of the delivery target. */
export type DeliveryOptionsResult = {
  operations: { deliveryDiscountsAdd: { selectionStrategy: 'ALL'; candidates: DeliveryCandidate[] } }[]
}
