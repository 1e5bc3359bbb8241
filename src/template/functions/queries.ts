// Prometheus's functions of queries' answers, and of where the server is.

import { compareStrings } from '../../model/labels.js';
import { Dict, List, Struct, type Value } from '../value.js';
import { CallFault, type TemplateFunction } from './function.js';

/** What Go says of a sample that is none. */
const NO_SAMPLE = 'runtime error: invalid memory address or nil pointer dereference';

function labelOf(sample: Value, name: string): string {
  if (!(sample instanceof Struct)) throw new CallFault(NO_SAMPLE);
  const labels = sample.fields.get('Labels') as Dict;
  return (labels.entries.get(name) as string | undefined) ?? '';
}

function valueOf(sample: Value): Value {
  if (!(sample instanceof Struct)) throw new CallFault(NO_SAMPLE);
  return sample.fields.get('Value');
}

/** Stable. */
function sortByLabel(name: string, { items, type }: List): List {
  const sorted = items.toSorted((a, b) => compareStrings(labelOf(a, name), labelOf(b, name)));
  return new List(sorted, type);
}

function first({ items }: List): Value {
  if (items.length === 0) throw new CallFault('first() called on vector with no elements');
  return items[0];
}

/** `arg0`, `arg1`, …: several arguments for a template, which takes one. */
function argumentsOf(args: readonly Value[]): Dict {
  return new Dict(new Map(args.map((arg, index) => [`arg${index}`, arg])), 'interface {}');
}

export const QUERY_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  query: { parameters: ['string'], call: ([expr], around) => around.query(expr as string) },
  first: { parameters: ['template.queryResult'], call: ([list]) => first(list as List) },
  label: { parameters: ['string', '*template.sample'], call: ([name, sample]) => labelOf(sample, name as string) },
  value: { parameters: ['*template.sample'], call: ([sample]) => valueOf(sample) },
  strvalue: { parameters: ['*template.sample'], call: ([sample]) => labelOf(sample, '__value__') },
  sortByLabel: {
    parameters: ['string', 'template.queryResult'],
    call: ([name, list], { budget }) => {
      budget.spend((list as List).items.length);
      return sortByLabel(name as string, list as List);
    },
  },
  args: { parameters: [], rest: 'any', call: argumentsOf },
  externalURL: { parameters: [], call: (_, { externalUrl }) => externalUrl },
  pathPrefix: { parameters: [], call: (_, { externalUrl }) => pathOf(externalUrl) },
};

/** The path of a URL, decoded; empty for `/` alone. */
function pathOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url).pathname : '';
  const path = url.endsWith('/') ? parsed : parsed.replace(/\/$/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
