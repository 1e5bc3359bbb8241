// Which handler a path and a method belong to.
//
// Routes are data: a pattern, the methods, a handler. A pattern's segment `:name`
// takes any one segment of the path, `*name` at its end all that is left. Patterns name the handlers in the metrics too,
// so they stay Prometheus's.

import { decodePercent } from './params.js';

export interface Route<H> {
  /** `/api/v1/label/:name/values` */
  readonly pattern: string;
  readonly methods: readonly string[];
  readonly handler: H;
}

export type Routed<H> =
  | { readonly kind: 'found'; readonly route: Route<H>; readonly parameters: ReadonlyMap<string, string> }
  /** `allow` is the header's value: the methods there are, sorted. */
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'none' };

/** A segment's literal children, and the one that takes any. */
interface Node<H> {
  readonly literal: Map<string, Node<H>>;
  any: Node<H> | undefined;
  /** What takes all that is left. */
  rest: Node<H> | undefined;
  /** The name behind the colon of the segment that led here. */
  parameter: string;
  readonly routes: Route<H>[];
}

export class Router<H> {
  readonly #root: Node<H> = node('');

  constructor(routes: readonly Route<H>[]) {
    for (const route of routes) this.#place(route);
  }

  /** `path` is as in the request: percent-encoded, and with its first slash. */
  find(method: string, path: string): Routed<H> {
    const parameters = new Map<string, string>();
    let at: Node<H> | undefined = this.#root;
    const segments = path.slice(1).split('/');
    for (const [index, segment] of segments.entries()) {
      const next: Node<H> | undefined = at.literal.get(segment);
      if (next === undefined && at.rest !== undefined) {
        const value = decodePercent(segments.slice(index).join('/'));
        if (typeof value !== 'string') return { kind: 'none' };
        at = at.rest;
        parameters.set(at.parameter, value);
        break;
      }
      if (next === undefined && at.any !== undefined && segment !== '') {
        const value = decodePercent(segment);
        if (typeof value !== 'string') return { kind: 'none' };
        parameters.set(at.any.parameter, value);
        at = at.any;
      } else at = next;
      if (at === undefined) return { kind: 'none' };
    }
    if (at.routes.length === 0) return { kind: 'none' };
    const route = at.routes.find((candidate) => candidate.methods.includes(method));
    if (route !== undefined) return { kind: 'found', route, parameters };
    const methods = new Set(['OPTIONS', ...at.routes.flatMap((candidate) => candidate.methods)]);
    return { kind: 'wrong-method', allow: [...methods].sort().join(', ') };
  }

  #place(route: Route<H>): void {
    let at = this.#root;
    for (const segment of route.pattern.slice(1).split('/')) {
      if (segment.startsWith(':')) {
        at.any ??= node(segment.slice(1));
        at = at.any;
      } else if (segment.startsWith('*')) {
        at.rest ??= node(segment.slice(1));
        at = at.rest;
      } else {
        let next = at.literal.get(segment);
        if (next === undefined) at.literal.set(segment, (next = node('')));
        at = next;
      }
    }
    at.routes.push(route);
  }
}

function node<H>(parameter: string): Node<H> {
  return { literal: new Map(), any: undefined, rest: undefined, parameter, routes: [] };
}
