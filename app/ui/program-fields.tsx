import { Checkbox, ChoiceList, Select, TextField, type TextFieldProps } from '@shopify/polaris'
import { useState } from 'react'

import { findCurrencyExponent, formatDecimal } from '#app/loyalty/money.ts'
import { readNumber, type Path } from '#app/ui/draft.ts'
import { useProgramDraft } from '#app/ui/program-draft.tsx'

/** Fields over one place of the program draft. Each shows the schema's complaint about its place, below itself. */

type FieldProps = { path: Path; label: string; helpText?: string; labelHidden?: boolean; disabled?: boolean }

type TextLikeProps = FieldProps & Partial<Pick<TextFieldProps, 'prefix' | 'suffix' | 'placeholder' | 'maxLength'>>

/** Text; left empty, the field is left out of the document. */
export function DraftText({ path, ...rest }: TextLikeProps) {
  const draft = useProgramDraft()
  const value = draft.read(path)
  return (
    <TextField
      {...rest}
      autoComplete="off"
      value={typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)}
      onChange={(text) => draft.write(path, text === '' ? undefined : text)}
      error={draft.errorAt(path)}
    />
  )
}

/** Money in the shop's currency, kept as the decimal text that was typed. */
export function DraftMoney(props: TextLikeProps) {
  const currency = String(useProgramDraft().read(['currency']) ?? '')
  const nothing = formatDecimal(0, findCurrencyExponent(currency) ?? 2)
  return <DraftText suffix={currency} placeholder={nothing} {...props} />
}

/** A number. What is no number stays as it was typed, for the schema to complain about. */
export function DraftNumber({ path, ...rest }: TextLikeProps) {
  const draft = useProgramDraft()
  const value = draft.read(path)
  const [typed, setTyped] = useState<string>()
  const shown = typed !== undefined && readNumber(typed) === value ? typed : value === undefined ? '' : String(value)
  return (
    <TextField
      {...rest}
      autoComplete="off"
      inputMode="decimal"
      value={shown}
      onChange={(text) => {
        setTyped(text)
        draft.write(path, readNumber(text))
      }}
      error={draft.errorAt(path)}
    />
  )
}

/** A date and time on the shop's clock, as the document writes it: "2026-05-02T00:00". */
export function DraftDateTime({ path, ...rest }: TextLikeProps) {
  const draft = useProgramDraft()
  const value = draft.read(path)
  return (
    <TextField
      {...rest}
      // The browser's own picker: keyboard, screen reader and phone already know it.
      type="datetime-local"
      autoComplete="off"
      value={typeof value === 'string' ? value : ''}
      onChange={(text) => draft.write(path, text === '' ? undefined : text)}
      error={draft.errorAt(path)}
    />
  )
}

/** Yes or no. `meaning` turns it round where the document says it the other way. */
export function DraftCheckbox({ path, ...rest }: Omit<FieldProps, 'labelHidden'>) {
  const draft = useProgramDraft()
  return (
    <Checkbox
      {...rest}
      checked={draft.read(path) === true}
      onChange={(checked) => draft.write(path, checked)}
      error={draft.errorAt(path)}
    />
  )
}

type Option = { label: string; value: string; helpText?: string }

/** One of a few, from a menu. */
export function DraftSelect({ path, options, ...rest }: FieldProps & { options: Option[] }) {
  const draft = useProgramDraft()
  return (
    <Select
      {...rest}
      options={options}
      value={String(draft.read(path) ?? '')}
      onChange={(value) => draft.write(path, value)}
      error={draft.errorAt(path)}
    />
  )
}

type DraftChoiceProps = FieldProps & { options: Option[]; onChoose?: (value: string) => void }

/** One of a few that need a sentence each. `onChoose` writes where more than the one place changes. */
export function DraftChoice({ path, label, options, onChoose }: DraftChoiceProps) {
  const draft = useProgramDraft()
  return (
    <ChoiceList
      title={label}
      choices={options}
      selected={[String(draft.read(path) ?? '')]}
      onChange={([value = '']) => (onChoose ? onChoose(value) : draft.write(path, value))}
      error={draft.errorAt(path)}
    />
  )
}

/** Any of the program's tiers; none ticked: everyone, and the field is left out. Nothing where the program has no tiers. */
export function DraftTiers({ path, label }: FieldProps) {
  const draft = useProgramDraft()
  const levels = (draft.read(['tiers', 'levels']) ?? []) as { id: string; name: string }[]
  if (levels.length === 0) return null
  return (
    <ChoiceList
      title={label}
      allowMultiple
      choices={levels.map(({ id, name }) => ({ label: name, value: id }))}
      selected={(draft.read(path) ?? []) as string[]}
      onChange={(chosen) => draft.write(path, chosen.length === 0 ? undefined : chosen)}
      error={draft.errorAt(path)}
    />
  )
}
