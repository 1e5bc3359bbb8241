// How what is printed of files is laid out.

/** A line with a place, or a number, in front. */
export function at(place: number | string, text: string, indent = 0): string {
  return `${' '.repeat(indent)}${String(place).padStart(10)}  ${text}`;
}
