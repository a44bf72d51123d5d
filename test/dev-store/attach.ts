/**
 * The app's preload for the dev store: `SHOPIFY_DEV_STORE_URL=… node --import ./test/dev-store/attach.ts app/server.ts`.
 * Without it `app/` knows nothing of the dev store, and nothing else reads this variable. Refuses to load without an
 * address, with one that is not this machine's, and where nobody answers (attach-to.ts).
 */
import { attachTo, letDevStoreFrameTheApp } from './attach-to.ts'

const address = process.env.SHOPIFY_DEV_STORE_URL
if (!address) throw new Error('attach.ts needs SHOPIFY_DEV_STORE_URL, the address of the dev store.')
await attachTo(address)
letDevStoreFrameTheApp(address)

// Started beside its dev store (local.ts), the app ends with it, also after `kill -9`: nothing may stay behind on a port.
if (process.channel) {
  process.channel.unref()
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}
