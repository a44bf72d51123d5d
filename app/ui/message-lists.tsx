import { Link, useFetcher } from '@remix-run/react'
import { useAppBridge } from '@shopify/app-bridge-react'
import { Badge, BlockStack, Box, Button, Card, Divider, InlineGrid, InlineStack, Text } from '@shopify/polaris'
import { useEffect, type ReactNode } from 'react'

import { isGid } from '#app/loyalty/ids.ts'
import { nameOf, type CustomerNames } from '#app/ui/customer-names.ts'
import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { shopifyNumber, showInstant } from '#app/ui/words.ts'

/** `about`: the order or customer (gid) that it is about; null where it does not say. */
type Message = {
  id: string
  topic: string
  about: string | null
  receivedAt: number
  state: string
  source: string
}

type SetAside = Pick<Message, 'id' | 'topic' | 'about' | 'receivedAt'> & { attempts: number; error: string | null }

type Effect = { id: string; kind: string; key: string; createdAt: number; error: string | null }

/** Trying again what failed, one at a time; `busyId` is what is being tried, `refusal` why the last could not be. */
export type Retrying = {
  busyId: string | null
  refusal: string | null
  retry: (kind: FailureProps['kind'], id: string) => void
}

/** Held by the page, because a failure that is tried again leaves its list, and its answer must still be told. */
export function useRetrying(): Retrying {
  const shopify = useAppBridge()
  const fetcher = useFetcher<{ ok: boolean; message: string }>()
  useEffect(() => {
    if (fetcher.data?.ok) shopify.toast.show(fetcher.data.message)
  }, [fetcher.data, shopify])
  return {
    refusal: fetcher.data?.ok === false ? fetcher.data.message : null,
    busyId: fetcher.state === 'idle' ? null : String(fetcher.formData?.get('id') ?? ''),
    retry: (kind, id) => fetcher.submit({ kind, id }, { method: 'post' }),
  }
}

type FailuresProps = { timezone: string; retrying: Retrying }
type Named = { names: CustomerNames }

/** Messages that could not be worked on, each with its error and a button to try again. */
export function SetAsideMessages(props: FailuresProps & Named & { messages: SetAside[] }) {
  const { messages, names, timezone, retrying } = props
  return (
    <List
      title="Set aside for you"
      count={messages.length}
      empty="No message needs you. Whatever cannot be worked on waits here, and holds up no other."
    >
      {messages.map((message) => (
        <Failure
          key={message.id}
          retrying={retrying}
          kind="message"
          id={message.id}
          title={sayTopic(message.topic)}
          about={<About gid={message.about} names={names} />}
          when={`${showInstant(message.receivedAt, timezone)} · tried ${message.attempts} times`}
          error={message.error}
        />
      ))}
    </List>
  )
}

/** What should have reached Shopify and did not. */
export function FailedEffects({ effects, names, timezone, retrying }: FailuresProps & Named & { effects: Effect[] }) {
  return (
    <List title="Not sent to Shopify" count={effects.length}>
      {effects.map((effect) => (
        <Failure
          key={effect.id}
          retrying={retrying}
          kind="effect"
          id={effect.id}
          title={nameEffect(effect)}
          about={<About gid={findAbout(effect)} names={names} />}
          when={showInstant(effect.createdAt, timezone)}
          error={effect.error}
        />
      ))}
    </List>
  )
}

/** `empty`: what stands there where nothing is in the list. A list without it is only shown with something in it. */
type ListProps = { title: string; count: number; empty?: string; children: ReactNode[] }

function List({ title, count, empty, children }: ListProps) {
  return (
    <Card>
      <BlockStack gap="300">
        <InlineStack gap="200" blockAlign="center">
          <Text as="h2" variant="headingMd">
            {title}
          </Text>
          {count > 0 && <Badge tone="warning">{String(count)}</Badge>}
        </InlineStack>
        {count === 0 && (
          <Text as="p" tone="subdued">
            {empty}
          </Text>
        )}
        {children.map((child, index) => (
          <BlockStack key={index} gap="300">
            <Divider />
            {child}
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

type FailureProps = {
  kind: 'message' | 'effect'
  id: string
  title: string
  about?: ReactNode
  when: string
  error: string | null
  retrying: Retrying
}

function Failure({ kind, id, title, about, when, error, retrying }: FailureProps) {
  return (
    // The button below it on a phone, of every failure alike, however long its words are.
    <InlineGrid columns={{ xs: 1, sm: '1fr auto' }} alignItems="start" gap="200">
      <BlockStack gap="100">
        <Text as="p" fontWeight="medium">
          {title}
          {about}
        </Text>
        <Text as="p" variant="bodySm" tone="subdued">
          {when}
        </Text>
        {error && (
          <Box background="bg-surface-secondary" padding="200" borderRadius="100">
            <Text as="p" variant="bodySm" breakWord>
              {sayFailure(error)}
            </Text>
          </Box>
        )}
      </BlockStack>
      <InlineStack>
        <Button
          onClick={() => retrying.retry(kind, id)}
          loading={retrying.busyId === id}
          disabled={retrying.busyId !== null}
          accessibilityLabel={`Try again: ${title}`}
        >
          Try again
        </Button>
      </InlineStack>
    </InlineGrid>
  )
}

/** A failure at the database is kept as a code and names, because its words can hold customers' data; those say little to a shopkeeper. */
function sayFailure(error: string): string {
  const isDatabases = /^error [0-9A-Z]{5}\b/i.test(error)
  return isDatabases
    ? `The app's database refused this (${error}). Try again; if it fails again, tell whoever runs the app.`
    : error
}

const STATES: Record<string, { text: string; tone: 'success' | 'info' | 'warning' | undefined }> = {
  waiting: { text: 'Waiting', tone: 'info' },
  done: { text: 'Done', tone: 'success' },
  ignored: { text: 'Nothing to do', tone: undefined },
  'set-aside': { text: 'Set aside', tone: 'warning' },
}

/** The latest messages of all, newest first. */
export function MessageActivity({ messages, names, timezone }: Named & { messages: Message[]; timezone: string }) {
  if (messages.length === 0) {
    return (
      <NothingYet heading="Nothing has arrived yet">
        Orders, refunds and customers appear here within seconds of happening in your store.
      </NothingYet>
    )
  }
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Latest activity
        </Text>
        {messages.map((message) => (
          <BlockStack key={message.id} gap="200">
            <Divider />
            <InlineStack align="space-between" blockAlign="center" gap="200">
              <BlockStack gap="050">
                <Text as="p">
                  {sayTopic(message.topic)}
                  <About gid={message.about} names={names} />
                </Text>
                <Text as="p" variant="bodySm" tone="subdued">
                  {`${showInstant(message.receivedAt, timezone)}${SOURCES[message.source] ?? ''}`}
                </Text>
              </BlockStack>
              <Badge tone={STATES[message.state]?.tone}>{STATES[message.state]?.text ?? message.state}</Badge>
            </InlineStack>
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

/** What a message is about, behind its name: the order in Shopify, or the member's page. */
function About({ gid, names }: Named & { gid: string | null }) {
  if (gid === null) return null
  const number = shopifyNumber(gid)
  return (
    <>
      {' · '}
      {isGid(gid, 'Order') ? (
        <a href={`shopify://admin/orders/${number}`} target="_top" style={{ color: 'inherit' }}>
          {names[gid] ?? `Order ${number}`}
        </a>
      ) : (
        <Link to={`/app/members/${number}`} style={{ color: 'inherit' }}>
          {nameOf(gid, names)}
        </Link>
      )}
    </>
  )
}

const SOURCES: Record<string, string> = {
  reconcile: ' · found when comparing with Shopify',
  backfill: ' · read from the past',
  refetch: ' · read again',
}

function sayTopic(topic: string): string {
  return TOPICS[topic] ?? topic
}

const TOPICS: Record<string, string> = {
  'orders/paid': 'Order paid',
  'orders/updated': 'Order changed',
  'orders/edited': 'Order edited',
  'orders/cancelled': 'Order cancelled',
  'orders/delete': 'Order deleted',
  'refunds/create': 'Refund',
  'customers/create': 'New customer',
  'customers/update': 'Customer changed',
  'customers/merge': 'Two customers became one',
  'customers/redact': 'A customer asked to be forgotten',
  'customers/data_request': 'A customer asked for their data',
  'shop/redact': 'The store asked to be forgotten',
  'app/uninstalled': 'App uninstalled',
  'app/scopes_update': 'Permissions changed',
}

/** The order or customer (gid) that an effect is about; null where it is about another thing, or about several. */
export function findAbout({ key }: Pick<Effect, 'key'>): string | null {
  return isGid(key, 'Order') || isGid(key, 'Customer') ? key : null
}

function nameEffect(effect: Effect): string {
  const { kind, key } = effect
  // Members who go together are known by a digest, which tells nobody who they are.
  return kind === 'member-cards' || findAbout(effect) ? sayEffect(kind) : `${sayEffect(kind)} · ${key}`
}

function sayEffect(kind: string): string {
  return EFFECTS[kind] ?? kind
}

const EFFECTS: Record<string, string> = {
  'member-card': 'A member’s card',
  'member-cards': 'Cards of several members',
  'program-card': 'The program for the storefront',
  'all-member-cards': 'Every member’s card',
  'function-discounts': 'Discounts of levels and campaigns',
  'fill-pools': 'Codes made ahead',
  'tier-changed': 'The customer tag of a level',
  'settle-code': 'A code to take back',
  'refetch-order': 'An order to read again',
  'points-expire-soon': 'A reminder of points that expire',
}
