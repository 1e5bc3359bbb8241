// Common parts: what a query says twice gets one number, and is then evaluated once.
//
// Two parts are the same where they differ in nothing but their place in the text.
// Fragments keep their places, because both make remarks of what was read once.
// Other parts all become the last of them: remarks of the same words are told with
// the place that Prometheus evaluates last.

import { inputsOf, mapChildren, type Plan, type SharedPlan } from './plan.js';

/** Their remarks count what they met, so each place has to meet it. */
const COUNTING = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction']);

export function sharePlans(plan: Plan): Plan {
  return new Sharing(plan).apply(plan);
}

/** One part of the query, all places of it. */
interface Part {
  times: number;
  last: SharedPlan;
  number: number | undefined;
}

class Sharing {
  readonly #keys = new Map<Plan, string>();
  readonly #parts = new Map<string, Part>();
  #numbers = 0;

  constructor(plan: Plan) {
    this.#count(plan);
  }

  /** True where the part, or one below it, counts what it meets. */
  #count(plan: Plan): boolean {
    // Each input is looked at, whatever the others are.
    const counting = inputsOf(plan).map((input) => this.#count(input));
    if (counting.includes(true) || (plan.kind === 'call' && COUNTING.has(plan.fn))) return true;
    if (!isShareable(plan)) return false;
    const key = keyOf(plan);
    this.#keys.set(plan, key);
    const part = this.#parts.get(key);
    if (part === undefined) this.#parts.set(key, { times: 1, last: plan, number: undefined });
    else {
      part.times++;
      part.last = plan;
    }
    return false;
  }

  /** `outer`: how often the part is there that this one is in. What is only in it is evaluated once already. */
  readonly apply = (plan: Plan, outer = 1): Plan => {
    const part = this.#parts.get(this.#keys.get(plan) ?? '');
    if (part === undefined || part.times <= outer) return mapChildren(plan, (child) => this.apply(child, outer));
    part.number ??= ++this.#numbers;
    const shown = plan.kind === 'fragment' ? plan : part.last;
    const inner = mapChildren(shown, (child) => this.apply(child, part.times)) as SharedPlan;
    return { ...inner, shared: part.number };
  };
}

function isShareable(plan: Plan): plan is SharedPlan {
  return plan.kind !== 'number' && plan.kind !== 'string' && plan.kind !== 'matrix';
}

/** Equal for plans that do the same. The order of matchers says nothing. */
function keyOf(plan: Plan): string {
  return JSON.stringify(plan, (name, value: unknown) => {
    if (name === 'pos' || name.endsWith('Pos')) return undefined;
    if (name === 'matchers' && Array.isArray(value)) return value.map((matcher) => JSON.stringify(matcher)).sort();
    // JSON has no words for these.
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return { number: `${1 / value} ${value}` };
    return value;
  });
}
