import { Link, useLocation } from '@remix-run/react'
import { Banner, BlockStack, Box, Page, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

const PAGES = [
  { to: '/app/retention', name: 'Overview' },
  { to: '/app/retention/months', name: 'CRR and repeat' },
  { to: '/app/retention/cohorts', name: 'Cohorts' },
  { to: '/app/retention/intervals', name: 'Intervals' },
  { to: '/app/retention/lifecycle', name: 'Lifecycle' },
  { to: '/app/retention/rfm', name: 'RFM' },
  { to: '/app/retention/value', name: 'Customer value' },
  { to: '/app/retention/points', name: 'Points liability' },
]

type RetentionPageProps = { title: string; subtitle: string; children: ReactNode }

/** The frame of the retention pages: title, what the page says, and the way to the others. */
export function RetentionPage({ title, subtitle, children }: RetentionPageProps) {
  const { pathname } = useLocation()
  return (
    <Page title={title} subtitle={subtitle} fullWidth>
      <BlockStack gap="400">
        <Inset>
          <nav aria-label="Retention pages">
            <ul
              style={{
                display: 'flex',
                flexWrap: 'wrap',
                gap: '0.25rem 1rem',
                listStyle: 'none',
                margin: 0,
                padding: 0,
              }}
            >
              {PAGES.map(({ to, name }) => {
                const here = pathname === to
                return (
                  <li key={to}>
                    <Link
                      to={to}
                      aria-current={here ? 'page' : undefined}
                      style={{
                        color: 'inherit',
                        textDecoration: here ? 'underline' : 'none',
                        textUnderlineOffset: '0.35em',
                        textDecorationThickness: '2px',
                      }}
                    >
                      <Text as="span" fontWeight={here ? 'semibold' : 'regular'}>
                        {name}
                      </Text>
                    </Link>
                  </li>
                )
              })}
            </ul>
          </nav>
        </Inset>
        {children}
      </BlockStack>
    </Page>
  )
}

/** What stands beside cards and not in one: on a phone, where cards reach the edges, it keeps their inner distance. */
export function Inset({ children }: { children: ReactNode }) {
  return <Box paddingInline={{ xs: '400', sm: '0' }}>{children}</Box>
}

/** A number that opens the customers behind it. `of` is a group's name (retention/segments.ts). */
export function CustomersLink({ of, label, children }: { of: string; label: string; children: ReactNode }) {
  return (
    <Link
      to={`/app/retention/customers?of=${encodeURIComponent(of)}`}
      aria-label={label}
      style={{ color: 'inherit', textDecoration: 'underline dotted' }}
    >
      {children}
    </Link>
  )
}

/** Where the customers of a group are listed. */
export function customersPath(of: string): string {
  return `/app/retention/customers?of=${encodeURIComponent(of)}`
}

/** In its first year a shop cannot have lost anybody by a calendar of twelve months: CRR would flatter it. */
export function FirstYear({ months }: { months: number }) {
  if (months > 13) return null
  return (
    <Banner tone="info" title="Your shop’s first year">
      <p>
        CRR looks back twelve months, so it says little before a shop is more than a year old. Until then, go by the
        returning-customer rate.
      </p>
    </Banner>
  )
}
