import { Link, useLocation } from '@remix-run/react'
import { Banner, BlockStack, Box, Page, Text } from '@shopify/polaris'
import type { ReactNode } from 'react'

import { sayCustomers } from '#app/ui/words.ts'

const PAGES = [
  { to: '/app/retention', name: 'Overview' },
  { to: '/app/retention/months', name: 'CRR and repeat' },
  { to: '/app/retention/cohorts', name: 'Cohorts' },
  { to: '/app/retention/intervals', name: 'Intervals' },
  { to: '/app/retention/lifecycle', name: 'Lifecycle' },
  { to: '/app/retention/rfm', name: 'RFM' },
  { to: '/app/retention/value', name: 'Customer value' },
  { to: '/app/retention/pareto', name: 'Pareto' },
  { to: '/app/retention/funnel', name: 'Funnel' },
  { to: '/app/retention/nps', name: 'NPS' },
  { to: '/app/retention/points', name: 'Points liability' },
]

type RetentionPageProps = {
  title: string
  subtitle: string
  /** Nothing is counted yet, so there is no number to open. */
  empty?: boolean
  children: ReactNode
}

/** The frame of the retention pages: title, what the page says, and the way to the others. */
export function RetentionPage({ title, subtitle, empty = false, children }: RetentionPageProps) {
  const { pathname } = useLocation()
  return (
    <Page
      title={title}
      subtitle={subtitle}
      fullWidth
      secondaryActions={[{ content: 'Print', onAction: () => window.print() }]}
    >
      <BlockStack gap="400">
        <div data-screen-only>
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
        </div>
        {children}
        {!empty && (
          <div data-screen-only>
            <Inset>
              <Text as="p" variant="bodySm" tone="subdued">
                An underlined number opens the customers behind it: a count and a rate those whom it counts, a sum or a
                mean those whom it is of.
              </Text>
            </Inset>
          </div>
        )}
      </BlockStack>
    </Page>
  )
}

/** What stands beside cards and not in one: on a phone, where cards reach the edges, it keeps their inner distance. */
export function Inset({ children }: { children: ReactNode }) {
  return <Box paddingInline={{ xs: '400', sm: '0' }}>{children}</Box>
}

type CustomersLinkProps = {
  /** The group's name (retention/segments.ts). */
  of: string
  /** How long its list is, where that is known before it is opened. */
  customers?: number
  /** What the number is, for those who do not see where it stands. */
  label: string
  children: ReactNode
}

/** A number that opens the customers behind it: a rate those whom it counts, a sum or a mean those of whom it is. */
export function CustomersLink({ of, customers, label, children }: CustomersLinkProps) {
  return (
    <Link
      to={customersPath(of)}
      data-customers={customers}
      aria-label={`${label}; opens ${customers === undefined ? 'its customers' : sayCustomers(customers)}`}
      title={customers === undefined ? undefined : sayCustomers(customers)}
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

/** One of several views of a table; the chosen one is underlined. */
export function Choice({ to, chosen, children }: { to: string; chosen: boolean; children: string }) {
  return (
    <Link
      to={to}
      aria-current={chosen ? 'true' : undefined}
      style={{ color: 'inherit', textDecoration: chosen ? 'underline' : 'none' }}
    >
      <Text as="span" fontWeight={chosen ? 'semibold' : 'regular'}>
        {children}
      </Text>
    </Link>
  )
}
