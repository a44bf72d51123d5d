import { useFetcher } from '@remix-run/react'
import { BlockStack, Button, Card, Icon, InlineStack, ProgressBar, Text } from '@shopify/polaris'
import { CheckCircleIcon, XIcon } from '@shopify/polaris-icons'
import { useId } from 'react'

import { useThemeBlocks } from '#app/ui/theme-blocks.ts'

type FirstStepsCardProps = {
  steps: { published: boolean; hasRewards: boolean; readsPast: boolean; earnedOnce: boolean }
  apiKey: string
}

type Step = { title: string; text: string; done: boolean; action: string; url: string; external?: boolean }

/** What to do next, in the order in which it makes sense. It goes away for good with one click. */
export function FirstStepsCard({ steps, apiKey }: FirstStepsCardProps) {
  const blocks = useThemeBlocks(apiKey)
  const dismissal = useFetcher<{ ok: boolean }>()
  const heading = useId()
  const list: Step[] = [
    {
      title: 'Choose how points are earned',
      text: 'Start from a proposal, see what an order would earn, and publish it.',
      done: steps.published,
      action: 'Set up earning',
      url: '/app/program',
    },
    {
      title: 'Offer a reward',
      text: 'Say what points buy: money off, free shipping, a product.',
      done: steps.hasRewards,
      action: 'Add a reward',
      url: '/app/rewards',
    },
    {
      title: 'Read past orders',
      text: 'See from the first day how your customers come back. They earn points only if you want that.',
      done: steps.readsPast,
      action: 'Read past orders',
      url: '/app/messages',
    },
    {
      title: 'Show points in your store',
      text: 'Put the loyalty block into your theme. Nothing in your theme’s code changes.',
      done: blocks.state === 'active',
      action: 'Open theme editor',
      url: blocks.editorUrl,
      external: true,
    },
    {
      title: 'See the first points arrive',
      text: 'The next paid order earns points by itself.',
      done: steps.earnedOnce,
      action: 'See members',
      url: '/app/members',
    },
  ]
  const done = list.filter((step) => step.done).length
  const next = list.find((step) => !step.done)
  if (dismissal.state !== 'idle' || dismissal.data?.ok) return null
  return (
    <Card>
      <BlockStack gap="400">
        <InlineStack align="space-between" blockAlign="start" wrap={false}>
          <BlockStack gap="100">
            <Text as="h2" variant="headingMd" id={heading}>
              {done === list.length ? 'You are set up' : 'What to do next'}
            </Text>
            <Text as="p" tone="subdued">{`${done} of ${list.length} steps done`}</Text>
          </BlockStack>
          <dismissal.Form method="post">
            <Button submit icon={XIcon} variant="tertiary" accessibilityLabel="Put away the first steps" />
          </dismissal.Form>
        </InlineStack>
        <ProgressBar progress={(done / list.length) * 100} size="small" tone="primary" ariaLabelledBy={heading} />
        <BlockStack gap="300" as="ul">
          {list.map((step) => (
            <StepLine key={step.title} step={step} isNext={step === next} />
          ))}
        </BlockStack>
      </BlockStack>
    </Card>
  )
}

const OPEN_CIRCLE = {
  display: 'block',
  width: 15,
  height: 15,
  margin: 2.5,
  border: '1.5px dashed #8a8a8a',
  borderRadius: '50%',
} as const

function StepLine({ step, isNext }: { step: Step; isNext: boolean }) {
  return (
    <li style={{ listStyle: 'none' }}>
      <InlineStack align="space-between" blockAlign="center" gap="200">
        <InlineStack gap="300" blockAlign="start" wrap={false}>
          <span style={{ flex: 'none' }}>
            {step.done ? (
              <Icon source={CheckCircleIcon} tone="success" accessibilityLabel="Done" />
            ) : (
              <span role="img" aria-label="Not done yet" style={OPEN_CIRCLE} />
            )}
          </span>
          <BlockStack gap="050">
            <Text as="p" fontWeight={isNext ? 'semibold' : 'regular'}>
              {step.title}
            </Text>
            {!step.done && (
              <Text as="p" variant="bodySm" tone="subdued">
                {step.text}
              </Text>
            )}
          </BlockStack>
        </InlineStack>
        {!step.done && (
          <Button
            url={step.url}
            target={step.external ? '_top' : undefined}
            variant={isNext ? 'primary' : 'secondary'}
            size="slim"
          >
            {step.action}
          </Button>
        )}
      </InlineStack>
    </li>
  )
}
