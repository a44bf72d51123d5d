import type { Address } from '../records.ts'

/** Invented people for the demo shop: the same customer number always gets the same name and address. */

const FIRST =
  'Ada Aisha Alba Amir Anouk Arjun Beatrix Ben Bronwen Callum Carys Chidi Clara Dafydd Dina Edith Eilidh Elif Emeka Esme Farah Fergus Fleur Freya Gareth Greta Hamish Hana Hugo Imogen Ines Isla Ivo Jamila Jonah Juno Kaito Katya Kerr Lena Leo Lowri Mabel Magnus Maeve Mina Nadia Ned Niamh Noor Olive Omar Orla Otis Pearl Petra Priya Quentin Rafe Rhona Rosa Rufus Sana Seren Silas Sunita Tamsin Teodor Thea Umar Una Viktor Willa Yara Yusuf Zadie Zeno'.split(
    ' ',
  )
const LAST =
  'Abara Achterberg Adeyemi Ainsworth Anand Ashdown Bakshi Barlow Beckett Bellamy Birch Blackwood Bramall Brodie Calloway Carver Castellan Chaudhry Cheng Clayton Colquhoun Cotter Dalgliesh Danso Darnley Dewhurst Doyle Drummond Eastwood Egan Ellery Farrant Fenwick Ferrars Gallagher Garside Ghosh Glover Hargreave Hathaway Hennessy Holloway Iqbal Jardine Kaur Kendrick Kinsella Lachlan Langley Lindqvist Lockwood MacRae Marlow Mehta Merriweather Moss Nakamura Norwood Obi Oduya Okafor Osgood Pargeter Pemberton Penhaligon Quayle Rahman Redfern Rowe Sandhu Sefton Shaw Sinclair Stanhope Tait Thackeray Tremaine Udall Vance Wainwright Whitlock Wren Yates Zielinski'.split(
    ' ',
  )
const STREETS =
  'Alder Beacon Chapel Dovecote Elm Foundry Garrick Harbour Ivy Jubilee Kiln Lantern Mill Nightingale Orchard Priory Quarry Rope Saddler Tannery'.split(
    ' ',
  )
const TOWNS = [
  ['Ashcombe', 'AX7'],
  ['Brackenford', 'BF2'],
  ['Caldermouth', 'CM4'],
  ['Dunmarsh', 'DM9'],
  ['Eastwick', 'EW1'],
  ['Farleigh', 'FL3'],
  ['Glenbrook', 'GB5'],
  ['Hollowell', 'HW8'],
] as const

export type Person = {
  firstName: string
  lastName: string
  email: string
  /** In the shape of the dev store's records. */
  address: Omit<Address, 'id'>
}

/**
 * The person behind a customer number of the data set. The same number gives the same person on every machine; the
 * number in the e-mail keeps addresses apart where two people share a name. `example.com` is reserved (RFC 2606), so no
 * mail can reach anybody.
 */
export function inventPerson(customerNumber: number): Person {
  const draw = sequence(customerNumber)
  const firstName = FIRST[draw(FIRST.length)]!
  const lastName = LAST[draw(LAST.length)]!
  const [city, district] = TOWNS[draw(TOWNS.length)]!
  return {
    firstName,
    lastName,
    email: `${firstName}.${lastName}.${customerNumber}@example.com`.toLowerCase(),
    address: {
      firstName,
      lastName,
      company: null,
      address2: null,
      province: null,
      provinceCode: null,
      country: 'United Kingdom',
      countryCode: 'GB',
      phone: null,
      address1: `${1 + draw(120)} ${STREETS[draw(STREETS.length)]} Street`,
      city,
      zip: `${district} ${1 + draw(9)}${'ABDEFGHJLN'[draw(10)]}${'PQRSTUWXYZ'[draw(10)]}`,
    },
  }
}

/** Whole numbers below `bound`, drawn by the mulberry32 generator from a seed: small, fast and the same everywhere. */
function sequence(seed: number): (bound: number) => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}
