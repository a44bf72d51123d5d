import { Link, useFetcher } from '@remix-run/react'
import { BlockStack, Card, List, SkeletonBodyText, Text } from '@shopify/polaris'
import { useEffect } from 'react'

import type { ProgramDocument } from '#app/loyalty/program-document.ts'
import { nameOf } from '#app/ui/customer-names.ts'
import { isSameDocument } from '#app/ui/draft.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'
import type { TierMoves } from '#app/ui/tier-moves.ts'
import { shopifyNumber, showCount } from '#app/ui/words.ts'

type Reply = { ok: true; moves: TierMoves; names: Record<string, string> } | { ok: false; message: string }

/** Typing comes to rest for this long before members are looked through, in milliseconds. */
const REST_MS = 600

/** Who would move if the draft were saved; asked for by itself whenever the tiers of a complete draft differ from those in force. */
export function TierMovesCard() {
  const { parsed, published } = useProgramDraft()
  const { submit, data, state } = useFetcher<Reply>()
  const changed =
    parsed.ok && !isSameDocument(parsed.document.tiers, (published.document as ProgramDocument).tiers)
      ? JSON.stringify(parsed.document)
      : null
  useEffect(() => {
    if (changed === null) return
    const timer = setTimeout(
      () => submit({ document: changed }, { method: 'post', action: '/app/tiers/preview' }),
      REST_MS,
    )
    return () => clearTimeout(timer)
  }, [changed, submit])
  return (
    <Card>
      <BlockStack gap="300">
        <Text as="h2" variant="headingMd">
          Who would move
        </Text>
        <div aria-live="polite">
          {changed === null ? (
            <Text as="p" tone="subdued">
              Change a tier, and members who would move are listed here before you save.
            </Text>
          ) : state !== 'idle' || !data ? (
            <SkeletonBodyText lines={3} />
          ) : data.ok ? (
            <Moves moves={data.moves} names={data.names} />
          ) : (
            <Text as="p" tone="subdued">
              {data.message}
            </Text>
          )}
        </div>
      </BlockStack>
    </Card>
  )
}

/** "up from Silver"; from a level that is removed it is neither up nor down. */
function sayWay(up: boolean | null, from: string): string {
  if (up === null) return `from ${from}, which is removed,`
  return `${up ? 'up' : 'down'} from ${from}`
}

function Moves({ moves, names }: { moves: TierMoves; names: Record<string, string> }) {
  const { document } = useProgramDraft()
  const { published } = useProgramDraft()
  const levels = [document, published.document].flatMap((one) => (one as ProgramDocument).tiers?.levels ?? [])
  const levelName = (id: string | null) =>
    id === null ? 'no tier' : (levels.find((level) => level.id === id)?.name ?? id)
  if (moves.groups.length === 0) {
    return <Text as="p">{`Nobody: all ${showCount(moves.members)} members stay where they are.`}</Text>
  }
  return (
    <BlockStack gap="300">
      <List>
        {moves.groups.map(({ from, to, up, count }) => (
          <List.Item key={`${from}-${to}`}>
            {`${showCount(count)} ${count === 1 ? 'member goes' : 'members go'} ${sayWay(up, levelName(from))} to ${levelName(to)}`}
          </List.Item>
        ))}
      </List>
      <Text as="p" variant="bodySm" tone="subdued">
        Up at once; down at night, after the days of grace.
        {moves.partial && ` Only the first ${showCount(moves.members)} members were looked at.`}
      </Text>
      <BlockStack gap="100">
        <Text as="h3" variant="headingSm">
          For instance
        </Text>
        {moves.examples.map((move) => (
          <Text as="p" key={move.customer}>
            <Link to={`/app/members/${shopifyNumber(move.customer)}`} style={{ color: 'inherit' }}>
              {nameOf(move.customer, names)}
            </Link>
            {`: ${levelName(move.from)} → ${levelName(move.to)}`}
          </Text>
        ))}
      </BlockStack>
    </BlockStack>
  )
}
