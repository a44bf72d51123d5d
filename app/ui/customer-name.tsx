import { Await } from '@remix-run/react'
import { Suspense, useEffect, useState } from 'react'

import { shopifyNumber } from '#app/ui/words.ts'

/** Names by customer gid, as they arrive from Shopify. Customers without one are missing. */
export type CustomerNames = Promise<Record<string, string>>

type CustomerNameProps = { customer: string; names: CustomerNames }

/** A customer's name once Shopify has said it; until then, and where it does not, the customer's number. */
export function CustomerName({ customer, names }: CustomerNameProps) {
  const number = `Customer ${shopifyNumber(customer)}`
  return (
    <Suspense fallback={<span style={{ opacity: 0.6 }}>{number}</span>}>
      <Await resolve={names} errorElement={number}>
        {(known) => known[customer] ?? number}
      </Await>
    </Suspense>
  )
}

/** As `CustomerName`, where a plain text is needed: a page's title. */
export function useCustomerName(customer: string, names: CustomerNames): string {
  const [name, setName] = useState<string>()
  useEffect(() => {
    let gone = false
    names.then((known) => !gone && setName(known[customer])).catch(() => undefined)
    return () => {
      gone = true
    }
  }, [customer, names])
  return name ?? `Customer ${shopifyNumber(customer)}`
}
