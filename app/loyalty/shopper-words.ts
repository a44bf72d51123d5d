import { de } from './languages/de.ts'
import { en } from './languages/en.ts'
import { es } from './languages/es.ts'
import { fr } from './languages/fr.ts'
import { it } from './languages/it.ts'
import { nl } from './languages/nl.ts'
import { pt } from './languages/pt-br.ts'

/**
 * What the app says to shoppers of its own accord, in one language: how a program is earned and spent, and what happened to points. A name in
 * braces is filled in by `fill`. The sentences of the theme blocks themselves are in extensions/loyalty-blocks/locales; what merchants
 * name (points, tiers, rewards' perks) stays as they wrote it.
 */
export type ShopperWords = typeof en

/** The languages beside English, each by the name of its file in the theme blocks' locales: both say everything in the same ones. */
export const OTHER_LANGUAGES: Readonly<Record<string, ShopperWords>> = { de, es, fr, it, nl, 'pt-BR': pt }

/** What is said where nobody asked for another language. */
export const ENGLISH: ShopperWords = en

/** The words in a language ("de", "pt-BR"): English where it is none of ours, or none is given. */
export function wordsFor(language: string | null): ShopperWords {
  return language !== null && Object.hasOwn(OTHER_LANGUAGES, language) ? OTHER_LANGUAGES[language]! : ENGLISH
}

/** A sentence with its names in braces filled in. A name without a value stays as it is. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** A decimal text as the language writes it: "1.25" is "1,25" in German. Exact, never a float. */
export function showDecimal(words: ShopperWords, decimal: string): string {
  return new Intl.NumberFormat(words.locale, { maximumFractionDigits: 4, useGrouping: false }).format(
    decimal as `${number}`,
  )
}

/** A percentage given as decimal text: "10%", and "10 %" where the language sets it apart. */
export function showPercent(words: ShopperWords, percent: string): string {
  const parts = new Intl.NumberFormat(words.locale, { style: 'percent' }).formatToParts(0)
  return parts.map(({ type, value }) => (type === 'integer' ? showDecimal(words, percent) : value)).join('')
}
