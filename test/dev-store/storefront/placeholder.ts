/** Pictures for products that have none: a quiet still life drawn from the product's name, always the same for one name. */

const PALETTES = [
  ['#f3e4d7', '#d98f6c', '#7d3f2b', '#f8f1ea'],
  ['#e3ebdd', '#8fae86', '#3c5a3d', '#f5f8f2'],
  ['#dfe7ef', '#86a3c3', '#2f4a6b', '#f2f6fa'],
  ['#f4e7c9', '#dcb154', '#7a5a18', '#fbf6e8'],
  ['#efdfe6', '#c98aa6', '#6d3350', '#faf2f6'],
  ['#e2e7e4', '#8ba39a', '#31463f', '#f4f7f5'],
] as const

/** An SVG, 600 × 600, as text. */
export function placeholderSvg(name: string): string {
  const hash = hashOf(name)
  const [ground, mid, dark, light] = PALETTES[hash % PALETTES.length]!
  const named = NAMED.find(([words]) => words.test(name))?.[1]
  const index = named ?? NEUTRAL[(hash >>> 8) % NEUTRAL.length]!
  const shape = SHAPES[index]!
  const tilt = ((hash >>> 16) % 25) - 12
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" role="img" aria-label="">
<rect width="600" height="600" fill="${ground}"/>
<path d="M0 ${410 + ((hash >>> 4) % 40)}h600v200H0z" fill="${light}"/>
${HANGING.has(index) ? '' : `<ellipse cx="300" cy="462" rx="150" ry="16" fill="${dark}" opacity=".14"/>`}
<g transform="rotate(${tilt / 4} 300 460)">${shape(mid, dark, light)}</g>
</svg>`
}

/** Names that say what the thing is, and the drawing that fits. */
const NAMED: [RegExp, number][] = [
  [/\b(bunting|garland|flags?|streamers?|chain)\b/i, 7],
  [/\b(cake|cakes|cakestand|plates?|bowls?|dish|tray|baking)\b/i, 8],
  [/\b(frames?|signs?|chalkboard|pictures?|mirror|clock|calendar|poster)\b/i, 9],
  [/\b(bags?|shopper|tote|purse)\b/i, 5],
  [/\b(t-?lights?|lights?|candles?|lantern|lamp)\b/i, 3],
  [/\b(mugs?|cups?|tea|coffee|bottle|jugs?|teapot)\b/i, 1],
  [/\b(parasol|umbrella)\b/i, 10],
  [/\b(pens?|pencils?|crayons?|chalk|brush)\b/i, 11],
  [/\bhearts?\b/i, 6],
  [/\b(ornaments?|bauble|decorations?|christmas|hanging)\b/i, 4],
  [/\b(gift|box|boxes|set|game|tins?|cards?|kit|pack|wrap|wrapping)\b/i, 2],
  [/\b(vase|flowers?|plant|garden|rose|cactus|herb)\b/i, 0],
]
/** Where the name says nothing: arches, a pebble, a leaf. */
const NEUTRAL = [12, 13, 14]

/** Drawings that hang, and throw no shadow on the table. */
const HANGING = new Set([4, 6, 7, 9, 12, 13, 14])

type Shape = (mid: string, dark: string, light: string) => string

const SHAPES: Shape[] = [
  // A vase with a twig.
  (mid, dark, light) =>
    `<path d="M300 300C296 240 316 190 352 160M300 290c-8-50-28-84-62-104" stroke="${dark}" stroke-width="6" fill="none" stroke-linecap="round"/>
<ellipse cx="356" cy="152" rx="16" ry="30" transform="rotate(40 356 152)" fill="${dark}"/><ellipse cx="232" cy="180" rx="15" ry="28" transform="rotate(-42 232 180)" fill="${dark}"/><ellipse cx="322" cy="218" rx="13" ry="25" transform="rotate(52 322 218)" fill="${dark}" opacity=".8"/>
<path d="M270 290h60c0 40 46 60 46 112 0 38-30 60-76 60s-76-22-76-60c0-52 46-72 46-112z" fill="${mid}"/><path d="M262 280h76v18h-76z" rx="6" fill="${dark}"/><path d="M248 390c4-22 18-34 30-46" stroke="${light}" stroke-width="7" fill="none" stroke-linecap="round" opacity=".7"/>`,
  // A mug.
  (mid, dark, light) =>
    `<path d="M388 300h30c34 0 52 20 52 50s-22 54-60 54h-24" fill="none" stroke="${mid}" stroke-width="24"/><path d="M196 262h200v150c0 30-22 50-52 50H248c-30 0-52-20-52-50z" fill="${mid}"/>
<ellipse cx="296" cy="264" rx="100" ry="22" fill="${dark}"/><path d="M226 310v84" stroke="${light}" stroke-width="8" stroke-linecap="round" opacity=".7"/><path d="M270 220c-14-22 14-34 0-58M320 220c-14-22 14-34 0-58" stroke="${light}" stroke-width="8" fill="none" stroke-linecap="round"/>`,
  // A wrapped box.
  (mid, dark, light) =>
    `<rect x="180" y="272" width="240" height="190" rx="8" fill="${mid}"/><rect x="166" y="238" width="268" height="54" rx="8" fill="${dark}"/><rect x="282" y="238" width="36" height="224" fill="${light}"/>
<path d="M300 236c-66 0-92-24-82-50 10-24 62-14 82 50zm0 0c66 0 92-24 82-50-10-24-62-14-82 50z" fill="none" stroke="${light}" stroke-width="18" stroke-linejoin="round"/>`,
  // A candle in a holder.
  (mid, dark, light) =>
    `<path d="M300 150c26 32 30 52 30 64a30 30 0 0 1-60 0c0-12 4-32 30-64z" fill="${light}"/><path d="M300 190c10 14 12 22 12 28a12 12 0 0 1-24 0c0-6 2-14 12-28z" fill="${dark}" opacity=".65"/><path d="M300 236v26" stroke="${dark}" stroke-width="6"/>
<rect x="246" y="260" width="108" height="150" rx="8" fill="${mid}"/><path d="M200 400h200c0 40-36 62-100 62s-100-22-100-62z" fill="${dark}"/><path d="M268 284v92" stroke="${light}" stroke-width="7" stroke-linecap="round" opacity=".6"/>`,
  // A hanging ornament.
  (mid, dark, light) =>
    `<path d="M300 60v110" stroke="${dark}" stroke-width="5"/><circle cx="300" cy="186" r="16" fill="none" stroke="${dark}" stroke-width="8"/><circle cx="300" cy="326" r="128" fill="${mid}"/>
<path d="M180 296c60 34 180 34 240 0M180 352c60 34 180 34 240 0" stroke="${light}" stroke-width="10" fill="none"/><circle cx="300" cy="338" r="18" fill="${dark}"/><circle cx="236" cy="330" r="11" fill="${dark}"/><circle cx="364" cy="330" r="11" fill="${dark}"/>`,
  // A tote bag.
  (mid, dark, light) =>
    `<path d="M240 260c0-80 24-110 60-110s60 30 60 110" fill="none" stroke="${dark}" stroke-width="14"/><path d="M188 250h224l18 190c2 14-8 22-20 22H190c-12 0-22-8-20-22z" fill="${mid}"/>
<path d="M300 396c-70-46-70-104-30-104 16 0 26 10 30 22 4-12 14-22 30-22 40 0 40 58-30 104z" fill="${light}"/>`,
  // A heart on a string.
  (mid, dark, light) =>
    `<path d="M300 50v150" stroke="${dark}" stroke-width="5"/><path d="M300 470C150 366 140 220 226 206c38-6 64 18 74 46 10-28 36-52 74-46 86 14 76 160-74 264z" fill="${mid}"/>
<path d="M222 250c-22 14-24 50-10 84" stroke="${light}" stroke-width="9" fill="none" stroke-linecap="round" opacity=".75"/>`,
  // Bunting.
  (mid, dark, light) =>
    `<path d="M30 170c170 110 370 110 540 0" fill="none" stroke="${dark}" stroke-width="6"/><path d="M88 204l84 34-60 84zM196 244l92 8-52 92z" fill="${mid}"/><path d="M312 252l92-10-38 98z" fill="${dark}"/><path d="M428 236l84-36-20 102z" fill="${mid}"/><circle cx="240" cy="280" r="9" fill="${light}"/><circle cx="466" cy="240" r="9" fill="${light}"/><circle cx="128" cy="252" r="9" fill="${light}"/>`,
  // A cake stand.
  (mid, dark, light) =>
    `<path d="M236 250c0-44 28-66 64-66s64 22 64 66v30H236z" fill="${light}"/><path d="M236 244c14 22 26 22 36 4 10 20 24 20 34 0 10 18 24 18 32 0 8 14 18 14 26-4v40H236z" fill="${dark}" opacity=".75"/><circle cx="300" cy="172" r="14" fill="${dark}"/>
<path d="M150 284h300c0 34-50 48-150 48s-150-14-150-48z" fill="${mid}"/><path d="M286 330h28v90h-28z" fill="${mid}"/><path d="M220 462c0-34 36-48 80-48s80 14 80 48z" fill="${dark}"/>`,
  // A frame.
  (mid, dark, light) =>
    `<path d="M300 90l-84 90M300 90l84 90" stroke="${dark}" stroke-width="5"/><circle cx="300" cy="86" r="9" fill="${dark}"/><rect x="160" y="176" width="280" height="250" rx="10" fill="${mid}"/><rect x="186" y="202" width="228" height="198" rx="4" fill="${light}"/>
<path d="M186 372l64-80 48 52 40-34 76 80v10H186z" fill="${dark}" opacity=".8"/><circle cx="356" cy="252" r="22" fill="${mid}"/>`,
  // A parasol.
  (mid, dark, light) =>
    `<path d="M300 150v300" stroke="${dark}" stroke-width="10" stroke-linecap="round"/><path d="M110 300c10-110 90-170 190-170s180 60 190 170c-24-22-72-22-95 0-24-22-72-22-95 0-24-22-72-22-95 0-23-22-71-22-95 0z" fill="${mid}"/>
<path d="M300 130c-60 40-90 100-95 170M300 130c60 40 90 100 95 170" stroke="${light}" stroke-width="6" fill="none"/><path d="M300 450c0 26-44 26-44 0" stroke="${dark}" stroke-width="10" fill="none" stroke-linecap="round"/>`,
  // Pencils in a pot.
  (mid, dark, light) =>
    `<path d="M236 300l-24-140 16-36 22 34 18 142zM288 300V130l18-34 18 34v170zM346 300l18-132 26-30 12 38-20 124z" fill="${mid}"/><path d="M228 124l-8 17 14-2zM306 96l-9 17h18zM390 138l-13 15 19 5z" fill="${dark}"/>
<path d="M206 290h188l-14 152c-2 14-12 20-26 20H246c-14 0-24-6-26-20z" fill="${dark}"/><path d="M216 340h168l-3 34H219z" fill="${light}" opacity=".85"/>`,
  // An arch and a pebble.
  (mid, dark, light) =>
    `<path d="M150 462V300c0-84 62-150 140-150s140 66 140 150v162h-70V306c0-44-30-78-70-78s-70 34-70 78v156z" fill="${mid}"/><circle cx="408" cy="420" r="44" fill="${dark}"/><circle cx="392" cy="406" r="10" fill="${light}" opacity=".6"/>`,
  // Stacked pebbles.
  (mid, dark, light) =>
    `<ellipse cx="300" cy="420" rx="130" ry="44" fill="${dark}"/><ellipse cx="290" cy="340" rx="100" ry="40" fill="${mid}"/><ellipse cx="308" cy="270" rx="72" ry="32" fill="${dark}" opacity=".75"/><ellipse cx="298" cy="214" rx="44" ry="26" fill="${mid}"/><path d="M232 332c14-14 34-20 54-20" stroke="${light}" stroke-width="7" fill="none" stroke-linecap="round" opacity=".7"/>`,
  // A sun and leaves.
  (mid, dark, light) =>
    `<circle cx="300" cy="250" r="104" fill="${mid}"/><circle cx="270" cy="222" r="16" fill="${light}" opacity=".6"/><path d="M300 462c0-70-10-120-70-170 76 6 110 60 108 170zM300 462c2-60 26-116 96-140-10 64-36 112-74 140z" fill="${dark}"/><path d="M300 462c-6-50-34-86-92-96 10 52 42 84 80 96z" fill="${dark}" opacity=".8"/>`,
]

function hashOf(text: string): number {
  let hash = 2166136261
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619)
  return hash >>> 0
}
