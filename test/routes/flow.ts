import { createHmac } from 'node:crypto'

/** What a request of Flow's can have of its own: the whole body instead of the usual one, another secret, a body changed after it was signed. */
export type FlowRequest = {
  run?: string
  body?: string
  secret?: string
  tamper?: (body: string) => string
  method?: string
}

/** A step of a workflow that Shopify Flow runs in the shop, as it calls an action's runtime_url (shopify.dev, "Create Flow action endpoints"). */
export function makeFlowRequest(domain: string, properties: object, options: FlowRequest = {}): Request {
  const payload = {
    shop_id: 1,
    shopify_domain: domain,
    action_run_id: options.run ?? 'bdb15e45-0000-4000-8000-000000000001',
    handle: 'record-activity',
    properties,
  }
  const body = options.body ?? JSON.stringify(payload)
  const secret = options.secret ?? process.env.SHOPIFY_API_SECRET!
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'Shopify Flow',
    'X-Shopify-Hmac-Sha256': createHmac('sha256', secret).update(body).digest('base64'),
  }
  const { method = 'POST', tamper = (text: string) => text } = options
  const init = method === 'GET' ? { headers } : { method, headers, body: tamper(body) }
  return new Request('https://perennial.example.com/flow/record-activity', init)
}
