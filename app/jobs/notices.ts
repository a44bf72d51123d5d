// A *notice* is a message about the shop or about somebody's rights, not about orders: it needs no program and no engine.
import type { PoolClient } from 'pg'
import { z } from 'zod'
import { now } from '#app/clock.server.ts'
import type { Message, RulelessTopic } from '#app/db/inbox.server.ts'
import { dropEffects } from '#app/db/outbox.server.ts'
import { answerDataRequest, notePrivacyRequest } from '#app/db/privacy.server.ts'
import { enqueueProgramEffects } from '#app/db/programs.server.ts'
import { closeShop, keepShopScopes, markShopForErasure } from '#app/db/shops.server.ts'
import { parseJsonExactly } from '#app/shopify/payload.ts'

/** `at` is the instant that the notice speaks of. */
type Notice = (shopId: number, payload: unknown, at: number, client: PoolClient) => Promise<void>

const customerNumber = z.union([z.number().int(), z.bigint(), z.string().regex(/^\d+$/)]).transform(String)
const dataRequest = z.object({ customer: z.object({ id: customerNumber }) })
const scopesUpdate = z.object({ current: z.array(z.string()) })

type NoticeTopic = Exclude<RulelessTopic, 'customers/redact'>

const NOTICES: Readonly<Record<NoticeTopic, Notice>> = {
  'app/uninstalled': async (shopId, _payload, at, client) => {
    const became = await closeShop(shopId, at, client)
    if (became === 'gone') await dropEffects(shopId, at, client)
    // As `install` does, which had no reason to.
    if (became === 'back') await enqueueProgramEffects(shopId, now(), {}, client)
  },
  'app/scopes_update': (shopId, payload, at, client) =>
    keepShopScopes(shopId, scopesUpdate.parse(payload).current, at, client),
  'customers/data_request': async (shopId, payload, at, client) => {
    const member = dataRequest.parse(payload).customer.id
    await answerDataRequest(shopId, member, at, client)
  },
  // 48 hours after an uninstall: too much for a batch, so jobs/erase-shop does it in slices.
  'shop/redact': async (shopId, _payload, at, client) => {
    await notePrivacyRequest(shopId, { topic: 'shop/redact', at }, client)
    await markShopForErasure(shopId, at, client)
  },
  // jobs/backfill looks at its operations by itself; this only spares it the wait.
  'bulk_operations/finish': async () => {},
}

/** Topics that are worked on here, in Shopify's spelling. */
export const NOTICE_TOPICS = Object.keys(NOTICES) as NoticeTopic[]

/** Whether the topic is a notice, in Shopify's spelling: "app/uninstalled". */
export function isNotice(topic: string): topic is NoticeTopic {
  return Object.hasOwn(NOTICES, topic)
}

/** Does what the notice asks for, in the transaction that marks it done. Throws where the payload is not as Shopify describes it. */
export async function carryOutNotice(shopId: number, message: Message, client: PoolClient): Promise<void> {
  await NOTICES[message.topic as NoticeTopic](shopId, parseJsonExactly(message.payload), message.triggeredAt, client)
}
