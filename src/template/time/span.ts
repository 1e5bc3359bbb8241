// Durations as Go writes them: `1h2m3.5s`, `250ms`, `0s`.

export const SECOND_NS = 1_000_000_000n;
export const MINUTE_NS = 60n * SECOND_NS;
export const HOUR_NS = 60n * MINUTE_NS;

/** What 64 bits hold: durations beyond wrap around in Go, and end there here. */
export const SPAN_MAX = (1n << 63n) - 1n;
export const SPAN_MIN = -(1n << 63n);

export function formatSpan(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${fraction(size, 1000n)}µs`;
  if (size < SECOND_NS) return `${sign}${fraction(size, 1_000_000n)}ms`;
  const hours = size / HOUR_NS;
  const minutes = (size % HOUR_NS) / MINUTE_NS;
  const seconds = fraction(size % MINUTE_NS, SECOND_NS);
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

/** A size in a unit, with the decimals that it has. */
function fraction(size: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const rest = String(size % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(size / unit) : `${size / unit}.${rest}`;
}

/** Rounded to a multiple of a span, halves away from zero. */
export function roundSpan(ns: bigint, unit: bigint): bigint {
  if (unit <= 0n) return ns;
  const size = ns < 0n ? -ns : ns;
  const rest = size % unit;
  const rounded = rest + rest < unit ? size - rest : size - rest + unit;
  return clampSpan(ns < 0n ? -rounded : rounded);
}

export function clampSpan(ns: bigint): bigint {
  return ns > SPAN_MAX ? SPAN_MAX : ns < SPAN_MIN ? SPAN_MIN : ns;
}
