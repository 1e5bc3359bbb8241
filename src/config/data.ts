// Sections we do not read yet, as plain data, with what looks like a secret hidden in print.

import { type Codec, resolvePath } from './codec.js';
import {
  entriesOf,
  isMap,
  isNull,
  isSeq,
  isTrue,
  type Node,
  numberOf,
  scalarOf,
  textOf,
  type YAMLSeq,
  type YamlFile,
} from './document.js';
import { hidePassword } from './values.js';

/** Text, numbers, booleans, arrays, and Maps, because keys are a user's. */
export type Data = string | number | boolean | null | readonly Data[] | ReadonlyMap<string, Data>;

/** Whatever stands there. */
export const anything: Codec<Data> = { type: 'interface {}', decode: dataOf, encode: hideSecrets };

/** Keys of paths, which start at the folder of their file. */
const PATH_KEY = /(?:^files|_file)$/;

export function dataOf(node: Node | null, file: YamlFile, isPath = false): Data {
  const resolved = node === null ? null : file.resolve(node);
  if (resolved === null || isNull(resolved)) return null;
  if (isSeq(resolved)) return (resolved as YAMLSeq<Node | null>).items.map((item) => dataOf(item, file, isPath));
  if (isMap(resolved)) {
    return new Map(
      entriesOf(resolved, file).map(([key, value]) => [textOf(key), dataOf(value, file, PATH_KEY.test(textOf(key)))]),
    );
  }
  const { tag, text } = scalarOf(resolved);
  if (isPath) return resolvePath(file.folder, text);
  if (tag === '!!bool') return isTrue(text);
  return tag === '!!int' || tag === '!!float' ? numberOf(text) : text;
}

/** Keys of all kinds of discovery and signing that hold secrets; files that hold them end in `_file`. */
const SECRET_KEY =
  /(?:password|secret|token|credentials|passphrase|secret_key|private_key|access_key_secret|application_key|consumer_key|service_account_key|^key)$/;

/** Whatever looks like a secret prints as one: better one too many. */
export function hideSecrets(data: Data): unknown {
  if (Array.isArray(data)) return data.map(hideSecrets);
  if (typeof data === 'string') return hidePassword(data);
  if (!(data instanceof Map)) return data;
  return new Map(
    [...data].map(([key, value]) => [key, SECRET_KEY.test(key) && value !== '' ? '<secret>' : hideSecrets(value)]),
  );
}
