// Where the buckets of exponential native histograms end, to the bit as Prometheus
// has it: its table has errors of rounding in it, which show in results.
//
//   schema 0:  0.5
//   schema 1:  0.5                    0.7071067811865475
//   schema 2:  0.5     0.5·2^(1/4)    0.7071…  0.7071…·2^(1/4)
//
// Each schema has the bounds of the one before in its even places; one in an odd place
// is the bound before it times 2^(2^-schema). All other bounds are these times a power of 2.

const SCHEMA_MAX = 8;
/** The one entry that is not made so: half the square root of 2, a digit short. */
const HALF_ROOT = 0.7071067811865475;

/** By schema: the bounds in [0.5, 1), rising. */
const FRACTIONS = makeFractions();

function makeFractions(): readonly Float64Array[] {
  const all = [Float64Array.of(0.5), Float64Array.of(0.5, HALF_ROOT)];
  for (let schema = 2; schema <= SCHEMA_MAX; schema++) {
    const coarser = all[schema - 1]!;
    const fractions = new Float64Array(2 ** schema);
    const factor = 2 ** (2 ** -schema);
    for (let i = 0; i < fractions.length; i++) {
      fractions[i] = i % 2 === 0 ? coarser[i / 2]! : fractions[i - 1]! * factor;
    }
    all.push(fractions);
  }
  return all;
}

/** 2^(index · 2^-schema): the upper bound of a positive bucket. */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) return powerOfTwo(0.5, index * 2 ** -schema + 1);
  const octave = Math.floor(index / 2 ** schema);
  return powerOfTwo(FRACTIONS[schema]![index - octave * 2 ** schema]!, octave + 1);
}

/** fraction · 2^exponent, where the power alone may be out of range. */
function powerOfTwo(fraction: number, exponent: number): number {
  // The last bucket below overflow ends at the largest float, not at infinity.
  if (fraction === 0.5 && exponent === 1025) return Number.MAX_VALUE;
  return exponent > 1000 ? fraction * 2 ** 24 * 2 ** (exponent - 24) : fraction * 2 ** exponent;
}
