// The φ-quantile of plain numbers, between two of them by linear interpolation.

/**
 * Sorts `values` in place, NaN first. NaN for no values or a φ of NaN; -Inf and +Inf for a φ
 * below 0 and above 1.
 */
export function quantileOf(phi: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  sortNanFirst(values);
  const rank = phi * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return values[lower]! * (1 - weight) + values[upper]! * weight;
}

/** Typed arrays sort NaN last. */
function sortNanFirst(values: Float64Array): void {
  values.sort();
  let nans = 0;
  while (nans < values.length && Number.isNaN(values[values.length - 1 - nans]!)) nans++;
  if (nans === 0) return;
  values.copyWithin(nans, 0, values.length - nans);
  values.fill(Number.NaN, 0, nans);
}
