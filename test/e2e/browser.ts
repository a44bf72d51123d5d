/**
 * The browser of the tests: the one on the machine, else Chromium from the system's packages where we may install
 * them, else the one that comes with the npm packages. `node test/e2e/browser.ts --install` makes sure that there is one.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium, type Browser } from 'playwright-core'

/**
 * What the pages see as the browser's name. Shopify's library answers 410 Gone to anything that `isbot` knows, and
 * `HeadlessChrome` is on that list (SHOPIFY: shopify-app-remix 6.0.1), so tests must look like a person's browser.
 */
export const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'

const ON_THE_MACHINE = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

type Executable = { executablePath: string; env?: Record<string, string> }

/** A browser already on this machine, or null. `CHROMIUM_PATH` wins over the usual places. */
function findInstalled(): Executable | null {
  const found = ON_THE_MACHINE.find((candidate) => candidate && existsSync(candidate))
  return found ? { executablePath: found } : null
}

/** Installs Debian's or Ubuntu's Chromium where this user may; true when it is there afterwards. */
function installFromSystem(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' })
      .status === 0
  apt('update', '-qq')
  return apt('install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation')
}

/**
 * The Chromium inside `@sparticuz/chromium`, unpacked once into the temporary folder, with the system libraries that
 * it needs (NSS and friends), which the package carries for machines that lack them.
 */
async function unpackFromPackage(): Promise<Executable> {
  const { default: packaged, inflate } = await import('@sparticuz/chromium')
  const bin = path.join(path.dirname(new URL(import.meta.resolve('@sparticuz/chromium')).pathname), '..', 'bin')
  const executablePath = await packaged.executablePath(bin)
  await inflate(path.join(bin, 'al2023.tar.br'))
  const libraries = path.join(tmpdir(), 'al2023', 'lib')
  return { executablePath, env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: path.join(tmpdir(), 'fonts') } }
}

async function requireExecutable(): Promise<Executable> {
  return findInstalled() ?? (installFromSystem() ? findInstalled() : null) ?? (await unpackFromPackage())
}

/** A started headless browser; the caller closes it. Throws with what was tried when none can be had. */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, env } = process.env.BROWSER_FROM_PACKAGE
    ? await unpackFromPackage()
    : await requireExecutable()
  return chromium.launch({
    executablePath,
    env: { ...(process.env as Record<string, string>), ...env },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-dev-shm-usage',
    ],
  })
}

if (process.argv.includes('--install')) {
  const browser = await launchBrowser()
  console.log(`Chromium ${browser.version()}`)
  await browser.close()
}
