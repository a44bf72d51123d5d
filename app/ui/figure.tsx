import { BlockStack, Card, Text } from '@shopify/polaris'
import { Link } from '@remix-run/react'

type FigureProps = {
  label: string
  value: string
  /** One short line below: what the number is made of, or how it compares. */
  note?: string
  /** Where the customers or rows behind the number are shown. */
  to?: string
}

/** One number on a card, with its name above it and the way to what is behind it. */
export function Figure({ label, value, note, to }: FigureProps) {
  return (
    <Card>
      <BlockStack gap="100">
        <Text as="p" variant="bodyMd" tone="subdued">
          {label}
        </Text>
        <Text as="p" variant="headingLg">
          {to ? (
            <Link
              to={to}
              aria-label={`${label}: ${value}`}
              style={{ color: 'inherit', textDecoration: 'underline dotted' }}
            >
              {value}
            </Link>
          ) : (
            value
          )}
        </Text>
        {note && (
          <Text as="p" variant="bodySm" tone="subdued">
            {note}
          </Text>
        )}
      </BlockStack>
    </Card>
  )
}
