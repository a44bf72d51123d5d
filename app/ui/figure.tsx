import { BlockStack, Card, Text } from '@shopify/polaris'
import { Link } from '@remix-run/react'

import { sayCustomers } from '#app/ui/words.ts'

type FigureProps = {
  label: string
  value: string
  /** How it compares, and below it one short line: what the number is made of. */
  change?: string | null
  note?: string
  /** Where the customers or rows behind the number are shown. */
  to?: string
  /** How many customers `to` lists; it is said to those who cannot see the page, and tests hold the list to it. */
  customers?: number
}

/** One number on a card, with its name above it and the way to what is behind it. */
export function Figure({ label, value, change, note, to, customers }: FigureProps) {
  return (
    <Card>
      <BlockStack gap="100">
        <Text as="p" variant="bodyMd" tone="subdued">
          {label}
        </Text>
        <p data-figure={label} style={{ margin: 0 }}>
          <Text as="span" variant="headingLg">
            {to ? (
              <Link
                to={to}
                data-customers={customers}
                aria-label={`${label}: ${value}${customers === undefined ? '' : `; opens ${sayCustomers(customers)}`}`}
                style={{ color: 'inherit', textDecoration: 'underline dotted' }}
              >
                {value}
              </Link>
            ) : (
              value
            )}
          </Text>
        </p>
        {change && (
          <Text as="p" variant="bodySm" fontWeight="semibold">
            {change}
          </Text>
        )}
        {note && (
          <Text as="p" variant="bodySm" tone="subdued">
            {note}
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}
