/**
 * A *draft* is the program document while somebody edits it: the same JSON, with whatever is in the fields, right or wrong. It
 * is judged by the one schema of loyalty/program-document.ts when it is saved, whose complaints name the place by *path*.
 */

/** Where in the document: `['earning', 0, 'points']`, written "earning[0].points" in complaints (formatPath). */
export type Path = readonly (string | number)[]

/** What stands at `path`, or undefined where there is nothing. */
export function readPath(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    document,
  )
}

/**
 * A copy of the document with `value` at `path`; objects on the way are made where they are missing. `undefined` removes the
 * field, and in a list the item.
 */
export function writePath(document: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const inner = rest.length === 0 ? value : writePath(readPath(document, [key]), rest, value)
  if (Array.isArray(document)) {
    const copy: unknown[] = [...(document as unknown[])]
    if (inner === undefined) copy.splice(Number(key), 1)
    else copy[Number(key)] = inner
    return copy
  }
  const copy = { ...(typeof document === 'object' ? document : {}) } as Record<string | number, unknown>
  if (inner === undefined) delete copy[key]
  else copy[key] = inner
  return copy
}

/**
 * What a number field holds, for the document: a number where the text is one, nothing where it is empty, else the text itself,
 * which the schema will refuse with a sentence beside the field.
 */
export function readNumber(text: string): number | string | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^-?\d+(\.\d+)?$/.test(trimmed) && Number.isSafeInteger(Math.trunc(Number(trimmed)))
    ? Number(trimmed)
    : trimmed
}

/** True when two JSON values say the same, whatever the order of their fields. */
export function isSameDocument(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
