import { Text } from '@shopify/polaris'

/** What is wrong with the whole of a form, or with what it asked for. Said aloud as it appears; nothing without a text. */
export function FormError({ text }: { text: string | null | undefined }) {
  if (!text) return null
  return (
    <div role="alert">
      <Text as="p" tone="critical">
        {text}
      </Text>
    </div>
  )
}
