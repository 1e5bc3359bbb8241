// Times, durations and tables as Go prints them, whose forms scripts around promtool know.

/** `2026-01-01 00:00:00 +0000 UTC`, whole seconds. */
export function goTime(timeMs: number): string {
  const iso = new Date(Math.trunc(timeMs / 1000) * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
}

/** `1h59m0.001s`, `12ms`, `0s`: time.Duration of whole milliseconds. */
export function goDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const sign = durationMs < 0 ? '-' : '';
  const size = Math.abs(durationMs);
  if (size < 1000) return `${sign}${size}ms`;
  const seconds = `${Math.floor(size / 1000) % 60}${decimals(size % 1000)}s`;
  const minutes = Math.floor(size / 60_000);
  if (minutes === 0) return sign + seconds;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds}`;
}

function decimals(milliseconds: number): string {
  return milliseconds === 0 ? '' : `.${String(milliseconds).padStart(3, '0').replace(/0+$/, '')}`;
}

/** Rows in columns that are as wide as their widest cell and `padding`, at least `minWidth`; the last is not padded. */
export function columns(rows: readonly (readonly string[])[], minWidth: number, padding: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) => {
    return Math.max(minWidth, ...rows.map((row) => row[column]!.length + padding));
  });
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join(''));
}
