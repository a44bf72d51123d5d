import { useSearchParams, useSubmit } from '@remix-run/react'
import { Box, Button, Card, InlineGrid, InlineStack, Select, TextField } from '@shopify/polaris'
import { SearchIcon } from '@shopify/polaris-icons'
import { useState } from 'react'

/** The part of the address that says which members are listed, whatever page of them is shown. */
export function keepMemberAsk(params: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...params].filter(([name]) => ['q', 'tier', 'sort'].includes(name)))
}

type MemberFiltersProps = { tiers: { id: string; name: string }[] }

/** Search, tier and order of the members list. All of it lives in the address, so a list can be kept and shared. */
export function MemberFilters({ tiers }: MemberFiltersProps) {
  const [params] = useSearchParams()
  const submit = useSubmit()
  const [text, setText] = useState(params.get('q') ?? '')
  const go = (changes: Record<string, string>) => {
    const next = Object.fromEntries(keepMemberAsk(params))
    const asked = Object.entries({ ...next, ...changes }).filter(([, value]) => value !== '')
    submit(Object.fromEntries(asked), { method: 'get', replace: true })
  }
  return (
    <Card padding="300">
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          go({ q: text.trim() })
        }}
      >
        <InlineGrid columns={{ xs: 1, md: tiers.length > 0 ? '2fr 1fr 1fr' : '3fr 1fr' }} gap="300" alignItems="end">
          <InlineStack gap="200" wrap={false} blockAlign="center">
            <Box width="100%">
              <TextField
                label="Find a member"
                labelHidden
                type="search"
                autoComplete="off"
                placeholder="Name, e-mail or customer number"
                value={text}
                onChange={setText}
                clearButton
                onClearButtonClick={() => {
                  setText('')
                  go({ q: '' })
                }}
              />
            </Box>
            <Button submit icon={SearchIcon} accessibilityLabel="Search" />
          </InlineStack>
          {tiers.length > 0 && (
            <Select
              label="Tier"
              labelInline
              options={[{ label: 'All', value: '' }, ...tiers.map(({ id, name }) => ({ label: name, value: id }))]}
              value={params.get('tier') ?? ''}
              onChange={(tier) => go({ tier })}
            />
          )}
          <Select
            label="Sort"
            labelInline
            options={[
              { label: 'Joined last', value: '' },
              { label: 'Most points', value: 'points' },
            ]}
            value={params.get('sort') ?? ''}
            onChange={(sort) => go({ sort })}
          />
        </InlineGrid>
      </form>
    </Card>
  )
}
