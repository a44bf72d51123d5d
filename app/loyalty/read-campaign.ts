import { toSet, type Check, type Path } from './program-check.ts'
import { COMBINES_WITH_NOTHING, type CampaignDocument } from './program-document.ts'
import type { Campaign, Offer } from './program.ts'
import { toBasisPoints, toMultiplier, toShare } from './ratios.ts'

/** Reads one entry of `campaigns`; an offer that is none, or several, is added to the check. */
export function readCampaign(campaign: CampaignDocument, path: Path, check: Check): Campaign {
  return {
    id: campaign.id,
    name: campaign.name,
    ...check.window(campaign, path),
    stops: [],
    offer: readOffer(campaign.offer, [...path, 'offer'], check),
    tiers: check.tiers(campaign.audience?.tiers, [...path, 'audience', 'tiers']),
    segments: toSet(campaign.audience?.segments),
    products: toSet(campaign.products),
    collections: toSet(campaign.collections),
    minimumSubtotal: check.optionalMoney(campaign.minimumSubtotal, [...path, 'minimumSubtotal']),
    saleItems: campaign.saleItems ?? true,
    budgetMinor: check.optionalMoney(campaign.budget, [...path, 'budget'], 1),
    // NaN stands in for what is no number (stand-ins.ts), and has no digits to read.
    holdOut: campaign.holdOut === undefined || Number.isNaN(campaign.holdOut) ? null : toShare(campaign.holdOut),
    combinesWith: campaign.combinesWith ?? COMBINES_WITH_NOTHING,
  }
}

function readOffer(offer: CampaignDocument['offer'], path: Path, check: Check): Offer {
  const given = Object.entries(offer).filter(([, value]) => value !== undefined)
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(' and ') || 'none'
    check.add(path, `must be exactly one of percentage, amount, shipping, bands or pointsMultiplier, not ${names}`)
  }
  if (offer.percentage !== undefined) return { kind: 'percentage', basisPoints: toBasisPoints(offer.percentage) }
  if (offer.amount !== undefined)
    return { kind: 'amount', amountMinor: check.money(offer.amount, [...path, 'amount'], 1) }
  if (offer.pointsMultiplier !== undefined) {
    return { kind: 'pointsMultiplier', multiplier: toMultiplier(offer.pointsMultiplier) }
  }
  return offer.bands
    ? { kind: 'bands', bands: readBands(offer.bands, [...path, 'bands'], check) }
    : { kind: 'shipping' }
}

function readBands(bands: readonly { from: string; percentage: number }[], path: Path, check: Check) {
  const read = bands.map((band, index) => ({
    from: check.money(band.from, [...path, index, 'from']),
    basisPoints: toBasisPoints(band.percentage),
  }))
  read.forEach((band, index) => {
    const previous = read[index - 1]
    if (!previous) return
    if (band.from <= previous.from) check.add([...path, index, 'from'], 'must be above that of the band before')
    if (band.basisPoints < previous.basisPoints) {
      check.add(
        [...path, index, 'percentage'],
        'must not be below that of the band before: a bigger purchase gets a bigger discount',
      )
    }
  })
  return read
}
