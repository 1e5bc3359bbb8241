// Plans of texts that were asked before: dashboards and rules ask the same ones again and again.
//
// Planning is pure, so a plan may be used again where everything that it was made from is the same:
// the text, what the engine knows of the query, and its times, if planning looked at them. Most
// queries ask for no time, and then one plan does for every step of a dashboard's day.

import type { PlanContext } from '../promql/plan/lower.js';
import type { Plan } from '../promql/plan/plan.js';

/** Longer texts are rare, and their plans are large. */
const TEXT_MAX = 4096;

export class Plans {
  /** By text and lookback; the longest unused first. */
  readonly #plans = new Map<string, Plan>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * The plan of a text under a context, made by `make` unless it is known. Contexts differ by times and lookback
   * alone; `kind` says what else decides whether `make` throws. What throws is not kept.
   */
  get(text: string, kind: string, context: PlanContext, make: (context: PlanContext) => Plan): Plan {
    if (text.length > TEXT_MAX) return make(context);
    const key = `${kind} ${context.lookbackMs} ${text}`;
    const known = this.#plans.get(key);
    if (known !== undefined) {
      this.#plans.delete(key);
      this.#plans.set(key, known);
      return known;
    }
    const watched = new WatchedContext(context);
    const plan = make(watched);
    if (!watched.timesWanted) this.#keep(key, plan);
    return plan;
  }

  #keep(key: string, plan: Plan): void {
    this.#plans.set(key, plan);
    if (this.#plans.size > this.#most) this.#plans.delete(this.#plans.keys().next().value!);
  }
}

/** Notices whether anyone looks at the times. */
class WatchedContext implements PlanContext {
  timesWanted = false;
  readonly #context: PlanContext;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  readonly delayedNames: boolean;
  readonly typeLabels: boolean;
  readonly startTimestamps: boolean;
  readonly wholeGroups: boolean;

  constructor(context: PlanContext) {
    this.#context = context;
    this.lookbackMs = context.lookbackMs;
    this.subqueryStepMs = context.subqueryStepMs;
    this.delayedNames = context.delayedNames;
    this.typeLabels = context.typeLabels === true;
    this.startTimestamps = context.startTimestamps === true;
    this.wholeGroups = context.wholeGroups === true;
  }

  get startMs(): number {
    this.timesWanted = true;
    return this.#context.startMs;
  }

  get endMs(): number {
    this.timesWanted = true;
    return this.#context.endMs;
  }

  get stepMs(): number {
    this.timesWanted = true;
    return this.#context.stepMs;
  }
}
