#!/usr/bin/env bash
# `npm test`: everything a change must pass, on a machine that has only Node and npm.
# Order: cheap checks first, so that a slip is told in seconds and not after the browser tests.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
# Prisma's command line looks for updates unless told not to; a machine without the internet would wait for it.
export CHECKPOINT_DISABLE=1

step() { printf '\n── %s\n' "$1"; }

# Arguments go to vitest alone: `npm test -- test/loyalty` runs one room, without the rest.
if [ "$#" -gt 0 ]; then
  prisma generate >/dev/null
  exec vitest run "$@"
fi

step 'Prisma client'
prisma generate >/dev/null
step 'Types'
tsc --noEmit
step 'Lint'
eslint .
step 'Format'
prettier --check --log-level warn .
step 'Schema and migrations agree'
npm run --silent migrate:check
step 'Build'
remix vite:build --logLevel warn
step 'Browser'
node test/e2e/browser.ts --install
step 'Tests'
vitest run
