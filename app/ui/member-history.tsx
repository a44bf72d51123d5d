import { BlockStack, Box, Button, Card, Collapsible, Divider, InlineStack, List, Text } from '@shopify/polaris'
import { useId, useState } from 'react'

import { NothingYet } from '#app/ui/nothing-yet.tsx'
import { sayMovement } from '#app/ui/reasons.ts'
import { ShowOlder } from '#app/ui/show-older.tsx'
import { shopifyNumber, showChange, showCount, showInstant, showPoints, type PointsName } from '#app/ui/words.ts'

/** An order of the member, in words already. */
export type ToldOrder = {
  order: string
  name: string | null
  placedAt: number
  paidAt: number | null
  goods: string
  /** What the goods were worth when it was placed, where that differs from now. */
  placed: string | null
  points: number
  tier: string | null
  codes: string[]
  reasons: string[]
}

type MemberOrdersProps = { orders: ToldOrder[]; pointsName: PointsName; timezone: string }

/** Orders with what each is worth now, and on request why. */
export function MemberOrders({ orders, pointsName, timezone }: MemberOrdersProps) {
  if (orders.length === 0) {
    return <NothingYet heading="No orders yet">Paid orders appear here with the points they earned.</NothingYet>
  }
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Orders
        </Text>
        {orders.map((order) => (
          <BlockStack key={order.order} gap="300">
            <Divider />
            <OrderLine order={order} pointsName={pointsName} timezone={timezone} />
          </BlockStack>
        ))}
      </BlockStack>
    </Card>
  )
}

function OrderLine({ order, pointsName, timezone }: Omit<MemberOrdersProps, 'orders'> & { order: ToldOrder }) {
  const [open, setOpen] = useState(false)
  const panel = useId()
  const points = showPoints(order.points, pointsName)
  return (
    <BlockStack gap="100">
      <InlineStack align="space-between" blockAlign="start" gap="200">
        <BlockStack gap="050">
          <Text as="p" fontWeight="medium">
            <a href={`shopify://admin/orders/${shopifyNumber(order.order)}`} target="_top" style={{ color: 'inherit' }}>
              {orderName(order)}
            </a>
            {` · ${order.goods} of goods`}
            {order.placed && ` (${order.placed} when placed)`}
          </Text>
          <Text as="p" variant="bodySm" tone="subdued">
            {showInstant(order.placedAt, timezone)}
            {order.paidAt === null && ' · not paid'}
            {order.tier && ` · as ${order.tier}`}
            {order.codes.length > 0 && ` · paid with ${order.codes.join(', ')}`}
          </Text>
        </BlockStack>
        {order.reasons.length === 0 ? (
          <Text as="p">{points}</Text>
        ) : (
          <Button
            variant="plain"
            disclosure={open ? 'up' : 'down'}
            ariaExpanded={open}
            ariaControls={panel}
            onClick={() => setOpen(!open)}
          >
            {`Why ${points}?`}
          </Button>
        )}
      </InlineStack>
      <Collapsible id={panel} open={open}>
        <Box background="bg-surface-secondary" padding="300" borderRadius="200">
          <List>
            {order.reasons.map((reason) => (
              <List.Item key={reason}>{reason}</List.Item>
            ))}
          </List>
        </Box>
      </Collapsible>
    </BlockStack>
  )
}

type Transfer = {
  id: string
  reason: string
  source: string | null
  eventAt: number
  availableChange: number
  pendingChange: number
  availableAfter: number
  note: string | null
  /** Who changed it by hand, in words. */
  by: string | null
}

type MemberHistoryProps = {
  transfers: Transfer[]
  /** The id to ask older movements with, null where these are the oldest. */
  older: string | null
  orders: ToldOrder[]
  timezone: string
}

/** Every movement of points, newest first: what it was, what it changed, what could be spent after it. */
export function MemberHistory({ transfers, older, orders, timezone }: MemberHistoryProps) {
  if (transfers.length === 0) {
    return <NothingYet heading="No points have moved yet">Every point earned, spent or lost is listed here.</NothingYet>
  }
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          History of points
        </Text>
        {transfers.map((transfer) => (
          <BlockStack key={transfer.id} gap="300">
            <Divider />
            <TransferLine transfer={transfer} orders={orders} timezone={timezone} />
          </BlockStack>
        ))}
        <ShowOlder before={older}>Show older movements</ShowOlder>
      </BlockStack>
    </Card>
  )
}

function TransferLine({ transfer, orders, timezone }: { transfer: Transfer; orders: ToldOrder[]; timezone: string }) {
  const { availableChange, pendingChange } = transfer
  return (
    <InlineStack align="space-between" blockAlign="start" gap="200" wrap={false}>
      <BlockStack gap="050">
        <Text as="p">{tellTransfer(transfer, orders)}</Text>
        {transfer.note && <Text as="p" variant="bodySm">{`“${transfer.note}”`}</Text>}
        <Text as="p" variant="bodySm" tone="subdued">
          {showInstant(transfer.eventAt, timezone)}
          {transfer.by && ` · by ${transfer.by}`}
        </Text>
      </BlockStack>
      <div style={{ whiteSpace: 'nowrap', textAlign: 'end' }}>
        <Text as="p" fontWeight="medium" numeric>
          {availableChange !== 0 ? showChange(availableChange) : pendingChange !== 0 ? showChange(pendingChange) : '0'}
        </Text>
        <Text as="p" variant="bodySm" tone="subdued" numeric>
          {availableChange === 0 && pendingChange !== 0 ? 'waiting' : `${showCount(transfer.availableAfter)} to spend`}
        </Text>
      </div>
    </InlineStack>
  )
}

function tellTransfer({ reason, source }: Transfer, orders: ToldOrder[]): string {
  const order = source?.startsWith('gid://shopify/Order/') && orders.find((one) => one.order === source)
  return order ? `${sayMovement(reason)} · ${orderName(order)}` : sayMovement(reason)
}

function orderName({ name, order }: ToldOrder): string {
  return name ?? `Order ${shopifyNumber(order)}`
}
