// Labels that are an API's elements under another spelling: a table of names instead of a line for each.
//
//   BackupRetentionPeriod      ►  backup_retention_period
//   Endpoint.HostedZoneId      ►  endpoint_hosted_zone_id
//   DbiResourceId=resource_id  ►  resource_id

import { labelPart, type Pairs } from '../../group.js';
import type { Tree } from '../../tree.js';

/** An element, by its path, and the part of the label's name that is its own. */
interface FieldLabel {
  readonly path: readonly string[];
  readonly part: string;
}

/** Reads a table: elements, with space between them. */
export function fieldTable(text: string): FieldLabel[] {
  return text
    .trim()
    .split(/\s+/)
    .map((entry) => {
      const [name = '', part] = entry.split('=');
      const path = name.split('.');
      return { path, part: part ?? path.map(snakeCase).join('_') };
    });
}

/** The labels of what an answer has of a table. */
export function fieldLabels(prefix: string, tree: Tree, table: readonly FieldLabel[]): Pairs {
  return table.map(({ path, part }) => [`${prefix}${part}`, valueOf(path, tree)]);
}

export function tagLabels(prefix: string, tags: readonly Tree[]): Pairs {
  return tags.map((tag) => [`${prefix}${labelPart(tag.at('Key').text)}`, tag.at('Value').text]);
}

/** What is in a list, whatever the API calls each of its items. */
export function membersOf(list: Tree): Tree[] {
  return list.entries.flatMap(([, items]) => items.all());
}

/** Moments as Prometheus shows them, in whole seconds. */
function valueOf(path: readonly string[], tree: Tree): string {
  const { text } = tree.at(...path);
  return /(?:Time|Date)$/.test(path.at(-1)!) ? text.replace(/^(\d+-\d+-\d+T\d+:\d+:\d+)\.\d+/, '$1') : text;
}

/** `IAMDatabaseId` is `iam_database_id`, `ServerlessV2Platform` is `serverless_v2_platform`. */
function snakeCase(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
