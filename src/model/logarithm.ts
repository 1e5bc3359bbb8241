// Logarithms to the bases 2 and 10 as Go's library computes them, so that their last
// digits are Prometheus's.

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** 2^-n is -n, exactly. Close to 1 digits are lost, because two numbers of that size are subtracted. */
export function log2(value: number): number {
  if (!(value > 0) || value === Infinity) return Math.log(value);
  if (value < SMALLEST_NORMAL) return log2(value * 2 ** 52) - 52;
  float[0] = value;
  const high = words[1]!;
  const exponent = (high >>> 20) - 1022;
  // The same digits between 1/2 and 1.
  words[1] = (high & 0xfffff) | (1022 << 20);
  const fraction = float[0];
  return fraction === 0.5 ? exponent - 1 : Math.log(fraction) * Math.LOG2E + exponent;
}

export function log10(value: number): number {
  return Math.log(value) * Math.LOG10E;
}

const SMALLEST_NORMAL = 2 ** -1022;
