import { randomUUID } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { closeDatabase, pool, prisma } from '#app/db/client.server.ts'
import { MAXIMUM_BODY_BYTES } from '#app/door.server.ts'
import { takeAllConnections } from '#test/setup/connections.ts'
import { makeShop } from '#test/setup/factories.ts'
import { listenToLog } from '#test/setup/log.ts'
import { openDoor, sendWebhook, signBody } from '#test/setup/webhooks.ts'

const { url, close } = await openDoor()
afterAll(close)

const stored = (domain: string) =>
  prisma.$queryRaw<{ topic: string; event_id: string; webhook_id: string; triggered_at: Date; payload: string }[]>`
    select m.*, i.payload from messages m join inbox i on i.shop_id = m.shop_id and i.id = m.id
      join shops s on s.id = m.shop_id where s.domain = ${domain} order by m.id`

it('keeps a signed webhook, its id to the last digit and with both of Shopify’s ids and its trigger time, before it answers', async () => {
  const { domain } = await makeShop()
  const body = '{"id": 820982911946154508,  "note": "Müller – 日本 \\u0000"}'
  const headers = { 'X-Shopify-Webhook-Id': 'delivery-1' }
  const answer = await sendWebhook(url, {
    shop: domain,
    body,
    eventId: 'event-1',
    headers,
    triggeredAt: '2026-08-03T18:05:14.123456Z',
  })
  expect(answer.status).toBe(200)
  expect(await stored(domain)).toMatchObject([
    {
      topic: 'orders/paid',
      event_id: 'event-1',
      webhook_id: 'delivery-1',
      triggered_at: new Date('2026-08-03T18:05:14.123Z'),
      payload: body,
    },
  ])
})

it('keeps of an order only what the rules read, and nothing of who bought it and where they live', async () => {
  const { domain } = await makeShop()
  const body =
    '{"id":5,"email":"ann@example.com","customer":{"id":8,"first_name":"Ann","state":"enabled"},"note":"Ring twice"}'
  expect((await sendWebhook(url, { shop: domain, body })).status).toBe(200)
  expect((await stored(domain)).map(({ payload }) => JSON.parse(payload) as unknown)).toEqual([
    { id: 5, customer: { id: 8, state: 'enabled' } },
  ])
})

it('answers 401 to a wrong signature and keeps nothing', async () => {
  const { domain } = await makeShop()
  const wrong = await sendWebhook(url, { shop: domain, payload: { id: 1 }, secret: 'not the secret' })
  const cut = await sendWebhook(url, {
    shop: domain,
    body: '{}',
    headers: { 'X-Shopify-Hmac-Sha256': signBody('{}').slice(0, -4) },
  })
  expect([wrong.status, cut.status]).toEqual([401, 401])
  expect(await stored(domain)).toEqual([])
})

it('takes no session token for a message, though it is signed with the same secret', async () => {
  const { domain } = await makeShop()
  const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
  // What the signature of a session token is of (RFC 7515, 5.1). A shop's staff find theirs in the browser.
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ dest: `https://${domain}` })}`
  expect((await sendWebhook(url, { shop: domain, topic: 'shop/redact', body })).status).toBe(400)
  expect(await stored(domain)).toEqual([])
})

it('checks the bytes, not their meaning: the same JSON with another space is another message', async () => {
  const { domain } = await makeShop()
  const headers = { 'X-Shopify-Hmac-Sha256': signBody('{"id":1}') }
  expect((await sendWebhook(url, { shop: domain, body: '{"id": 1}', headers })).status).toBe(401)
})

it('answers 400 where a header or the body is missing', async () => {
  const { domain } = await makeShop()
  const without = (name: string) =>
    sendWebhook(url, { shop: domain, headers: { [name]: undefined } }).then((answer) => answer.status)
  expect(await without('X-Shopify-Hmac-Sha256')).toBe(400)
  expect(await without('X-Shopify-Topic')).toBe(400)
  expect(await without('X-Shopify-Shop-Domain')).toBe(400)
  expect(await without('X-Shopify-Webhook-Id')).toBe(400)
  expect((await sendWebhook(url, { shop: domain, body: '' })).status).toBe(400)
  expect((await sendWebhook(url, { shop: 'evil.example.com' })).status).toBe(400)
  expect(await stored(domain)).toEqual([])
})

it('answers 405 to anything but POST', async () => {
  const answer = await fetch(`${url}/webhooks`)
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
})

it('answers 413 to a body beyond all orders, without reading it to its end', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = http.request(`${url}/webhooks`, {
      method: 'POST',
      headers: { 'Content-Length': MAXIMUM_BODY_BYTES + 1 },
    })
    request.on('response', (response) => resolve(response.statusCode))
    request.on('error', reject)
    request.write('{')
  })
  expect(status).toBe(413)
})

it('keeps one message of fifty that are the same and come at the same time', async () => {
  const { domain } = await makeShop()
  const eventId = randomUUID()
  const answers = await Promise.all(Array.from({ length: 50 }, () => sendWebhook(url, { shop: domain, eventId })))
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
  expect(await stored(domain)).toHaveLength(1)
})

it('keeps two topics of one event apart, as Shopify gives both the same event id', async () => {
  const { domain } = await makeShop()
  await sendWebhook(url, { shop: domain, eventId: 'e', topic: 'orders/paid' })
  await sendWebhook(url, { shop: domain, eventId: 'e', topic: 'orders/updated' })
  expect((await stored(domain)).map(({ topic }) => topic)).toEqual(['orders/paid', 'orders/updated'])
})

it('keeps two shops apart, even where their events have the same id', async () => {
  const [one, other] = [await makeShop(), await makeShop()]
  await sendWebhook(url, { shop: one.domain, eventId: 'same', payload: { id: 1 } })
  await sendWebhook(url, { shop: other.domain, eventId: 'same', payload: { id: 2 } })
  expect((await stored(one.domain)).map(({ payload }) => payload)).toEqual(['{"id":1}'])
  expect((await stored(other.domain)).map(({ payload }) => payload)).toEqual(['{"id":2}'])
})

it('keeps news of a shop that it has never heard of, whose owner may open the app a minute later', async () => {
  const domain = `fresh-${process.pid}.myshopify.com`
  expect((await sendWebhook(url, { shop: domain })).status).toBe(200)
  expect(await stored(domain)).toHaveLength(1)
  expect(await prisma.shop.findUnique({ where: { domain } })).toMatchObject({ installedAt: null })
})

it('keeps topics that it does not know and news of shops that uninstalled the app', async () => {
  const { domain } = await makeShop({ uninstalledAt: new Date('2026-07-01T00:00:00Z') })
  expect((await sendWebhook(url, { shop: domain, topic: 'products/update' })).status).toBe(200)
  expect(await stored(domain)).toHaveLength(1)
})

it('takes the newer lower-case headers of Shopify’s events too', async () => {
  const { domain } = await makeShop()
  const body = '{"id":1}'
  const headers = {
    'shopify-hmac-sha256': signBody(body),
    'shopify-topic': 'orders/paid',
    'shopify-shop-domain': domain,
    'shopify-webhook-id': 'w-1',
  }
  expect((await fetch(`${url}/webhooks`, { method: 'POST', body, headers })).status).toBe(200)
  expect(await stored(domain)).toMatchObject([{ event_id: 'w-1', webhook_id: 'w-1' }])
})

it('answers 503 while the database is away, names the error once in a storm and none of what was sent, and keeps what comes again', async () => {
  const [known, unknown] = [await makeShop(), await makeShop()]
  expect((await sendWebhook(url, { shop: known.domain })).status).toBe(200)
  const address = process.env.DATABASE_URL!
  const moveDatabase = (to: string) => {
    process.env.DATABASE_URL = to
    return closeDatabase()
  }
  onTestFinished(() => moveDatabase(address))
  await moveDatabase('postgresql://nobody@127.0.0.1:1/away')
  const log = listenToLog()
  const storm = [known, unknown, known, known].map(({ domain: shop }) => sendWebhook(url, { shop, eventId: 'stormy' }))
  const answers = await Promise.all(storm)
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503])
  expect(answers[0]!.headers.get('retry-after')).toBe('5')
  expect(log).toEqual([expect.stringMatching(/^error: a webhook was not kept: \w*Error \w+$/)])

  await moveDatabase(address)
  for (const { domain: shop } of [known, unknown]) {
    expect((await sendWebhook(url, { shop, eventId: 'stormy' })).status).toBe(200)
  }
  expect(await stored(known.domain)).toHaveLength(2)
  expect(await stored(unknown.domain)).toHaveLength(1)
})

it('keeps what came together with a message that the database refuses', async () => {
  const { domain: shop } = await makeShop()
  // GIVEN a database that takes its time over one message, while the others gather, and refuses another
  await pool.query(`create function dislike() returns trigger language plpgsql as
    $$ begin
      if new.event_id = 'slow' then perform pg_sleep(0.5); end if;
      if new.event_id = 'bad' then raise exception 'not this one' using errcode = '23514'; end if;
      return new;
    end $$`)
  await pool.query('create trigger dislike before insert on messages for each row execute function dislike()')
  onTestFinished(async () => void (await pool.query('drop trigger dislike on messages')))
  listenToLog()
  expect((await sendWebhook(url, { shop, eventId: 'first' })).status).toBe(200)
  const slow = sendWebhook(url, { shop, eventId: 'slow' })
  await wait(150)
  const together = await Promise.all(['a', 'bad', 'b'].map((eventId) => sendWebhook(url, { shop, eventId })))
  expect([(await slow).status, ...together.map(({ status }) => status)]).toEqual([200, 200, 503, 200])
  expect((await stored(shop)).map(({ event_id }) => event_id)).toEqual(['first', 'slow', 'a', 'b'])
})

it('says whether the database answers', async () => {
  const answer = await fetch(`${url}/healthz`)
  expect([answer.status, await answer.text()]).toEqual([200, 'ok\n'])
})

it('refuses in time what a silent connection to the database does not keep, and keeps the next', async () => {
  // GIVEN a network that swallows what connections say which were opened before, and lets new ones through
  const real = new URL(process.env.DATABASE_URL!)
  const sockets: net.Socket[] = []
  const silent = new WeakSet<net.Socket>()
  const network = net.createServer((near) => {
    const far = net.connect(Number(real.port), real.hostname)
    sockets.push(near, far)
    near.on('data', (bytes) => silent.has(near) || far.write(bytes)).on('close', () => far.destroy())
    far
      .on('data', (bytes) => silent.has(near) || near.write(bytes))
      .on('close', () => silent.has(near) || near.destroy())
    for (const socket of [near, far]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve))
  const through = new URL(real)
  through.hostname = '127.0.0.1'
  through.port = String((network.address() as net.AddressInfo).port)
  await closeDatabase()
  process.env.DATABASE_URL = through.href
  onTestFinished(async () => {
    sockets.forEach((socket) => socket.destroy())
    network.close()
    process.env.DATABASE_URL = real.href
    await closeDatabase()
  })
  const { domain } = await makeShop()
  const other = await makeShop()
  await sendWebhook(url, { shop: domain, body: '{}' })

  // WHEN they fall silent
  sockets.forEach((socket) => silent.add(socket))
  const startedAt = performance.now()
  const answers = await Promise.all([
    sendWebhook(url, { shop: domain, eventId: 'lost', body: '{}' }),
    sendWebhook(url, { shop: other.domain, eventId: 'lost', body: '{}' }),
  ])

  // THEN Shopify hears of it in time, and what it sends again is kept
  expect(answers.map(({ status }) => status)).toContain(503)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  for (const shop of [domain, other.domain]) {
    expect((await sendWebhook(url, { shop, eventId: 'lost', body: '{}' })).status).toBe(200)
  }
  expect((await stored(domain)).filter(({ event_id }) => event_id === 'lost')).toHaveLength(1)
})

it('answers 503 instead of nothing while the process has no connection to spare, and keeps what is sent again', async () => {
  const [known, unknown] = [await makeShop(), `busy-${process.pid}.myshopify.com`]
  expect((await sendWebhook(url, { shop: known.domain, eventId: 'before' })).status).toBe(200)
  const { giveBack } = await takeAllConnections()
  const answers = await Promise.all([known.domain, unknown].map((shop) => sendWebhook(url, { shop, eventId: 'busy' })))
  expect(answers.map(({ status }) => status)).toEqual([503, 503])
  expect((await fetch(`${url}/healthz`)).status).toBe(503)
  giveBack()
  for (const shop of [known.domain, unknown]) {
    expect((await sendWebhook(url, { shop, eventId: 'busy' })).status).toBe(200)
  }
  expect((await stored(known.domain)).map(({ event_id }) => event_id)).toEqual(['before', 'busy'])
  expect(await stored(unknown)).toHaveLength(1)
})
