// Where things stand in a rule file: for messages, which people look up.

import { entriesOf, isMap, isSeq, type Node, scalarOf, type YamlFile } from './document.js';

/** `5:15`, line and column, of the value behind a key of a rule; `0:0`, as promtool has it, where there is none. */
export function placeInRule(file: YamlFile, group: number, rule: number, key: string): string {
  const groups = file.root === null ? undefined : itemsOf(file, valueOf(file, file.root, 'groups'));
  const rules = itemsOf(file, valueOf(file, groups?.[group], 'rules'));
  const value = valueOf(file, rules?.[rule], key);
  return value === undefined ? '0:0' : file.placeOf(value);
}

function itemsOf(file: YamlFile, node: Node | undefined): readonly Node[] | undefined {
  const resolved = node && file.resolve(node);
  return resolved !== undefined && isSeq(resolved) ? (resolved.items as Node[]) : undefined;
}

function valueOf(file: YamlFile, node: Node | undefined, key: string): Node | undefined {
  const resolved = node && file.resolve(node);
  if (resolved === undefined || !isMap(resolved)) return undefined;
  const entry = entriesOf(resolved, file).find(([name]) => scalarOf(name).text === key);
  return entry?.[1] ?? undefined;
}
