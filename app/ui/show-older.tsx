import { useSearchParams } from '@remix-run/react'
import { Button, InlineStack } from '@shopify/polaris'

/** The way to what came before the last entry of a list: `before` is that entry's id, null where there is no more. */
export function ShowOlder({ before, children }: { before: string | number | null; children: string }) {
  const [params, setParams] = useSearchParams()
  if (before === null) return null
  const go = () => {
    const next = new URLSearchParams(params)
    next.set('before', String(before))
    setParams(next, { preventScrollReset: true })
  }
  return (
    <InlineStack align="center">
      <Button onClick={go}>{children}</Button>
    </InlineStack>
  )
}
