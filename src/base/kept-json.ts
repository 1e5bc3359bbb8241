// The JSON of objects that never change, kept as long as they are: a plan is used again and again, and so are the keys
// that are made of its parts.

const texts = new WeakMap<object, string>();

/** The JSON of a value whose fields, all the way down, are not changed any more. */
export function keptJson(part: object): string {
  let text = texts.get(part);
  if (text === undefined) texts.set(part, (text = JSON.stringify(part)));
  return text;
}
