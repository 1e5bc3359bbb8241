// An alerting rule: each sample of its expression's vector is an alert, whose labels and annotations are templates.
//
//   vector ──► alerts by label set ──► states (alert-state.ts) ──► ALERTS, ALERTS_FOR_STATE
//                                                             └──► due alerts (sending.ts)

import type { Alert } from '../model/alert.js';
import { keyOf, type Labels, METRIC_NAME, mergeLabels, withoutName } from '../model/labels.js';
import { type ActiveAlert, type AlertState, advance, type FoundAlert } from './alert-state.js';
import { KeptLabels } from './kept-labels.js';
import { overlay } from './overlay.js';
import type { VectorSample } from './query.js';
import { type EvaluationContext, type LabelledSamples, Rule } from './rule.js';
import { expressionUrl, type SendingTimes, takeDue } from './sending.js';
import type { RuleSpec } from './spec.js';

export const ALERTS = 'ALERTS';
export const ALERTS_FOR_STATE = 'ALERTS_FOR_STATE';
export const ALERT_NAME = 'alertname';
const ALERT_STATE = 'alertstate';

/** What a template may use of the alert that it is expanded for. */
export interface TemplateFacts {
  /** Of the alerting rule. */
  readonly name: string;
  readonly sample: VectorSample;
  readonly timeMs: number;
}

export interface AlertingWorld {
  /** Resolves to the text, or to what stands for it where the template is wrong. */
  expand(text: string, facts: TemplateFacts): Promise<string>;
  /** Of this server, without a slash at its end. */
  readonly externalUrl: string;
}

/** Texts without it are no templates. */
const ACTION = '{{';

const NOTHING: LabelledSamples = new Map();

/** An alert's labels as its series have them, with their keys. */
interface StoredForms {
  readonly pending: Named;
  readonly firing: Named;
  readonly forState: Named;
}

interface Named {
  readonly labels: Labels;
  readonly key: string;
}

export class AlertingRule extends Rule {
  readonly #world: AlertingWorld;
  /** Where Alertmanagers send people. */
  readonly #url: string;
  readonly #hasLabelTemplates: boolean;
  /** By the labels of what the expression gives: the alert's, without what templates make. */
  readonly #plain: KeptLabels<Named>;
  /** By the alert's labels. */
  readonly #stored: KeptLabels<StoredForms>;
  #active = new Map<string, ActiveAlert>();
  /** Whether `for` was restored, so that ALERTS_FOR_STATE may be written over. */
  isRestored: boolean;

  constructor(spec: RuleSpec, world: AlertingWorld, isRestored: boolean) {
    super(spec);
    this.#world = world;
    this.isRestored = isRestored;
    this.#url = expressionUrl(world.externalUrl, spec.expr);
    this.#hasLabelTemplates = isTemplated(spec.labels);
    this.#plain = new KeptLabels((given) => this.#alertOf(given, spec.labels));
    this.#stored = new KeptLabels((labels) => this.#storedForms(labels));
  }

  /** Resolved ones among them. */
  get alerts(): Iterable<ActiveAlert> {
    return this.#active.values();
  }

  /** The most that any of its alerts is; unknown before the first evaluation. */
  get state(): AlertState | 'unknown' {
    if (this.evaluatedMs === undefined) return 'unknown';
    const states = new Set([...this.#active.values()].map(({ state }) => state));
    return states.has('firing') ? 'firing' : states.has('pending') ? 'pending' : 'inactive';
  }

  override async evaluate(context: EvaluationContext): Promise<LabelledSamples> {
    const { timeMs, offsetMs, limit, query } = context;
    const found = await this.#find(await query(this.spec.expr, timeMs - offsetMs), timeMs);
    const alive = advance(this.#active, found, this.spec, timeMs);
    if (limit > 0 && alive.length > limit) {
      this.#active.clear();
      throw new Error(`exceeded limit of ${limit} with ${alive.length} alerts`);
    }
    if (!this.isRestored) return NOTHING;
    const samples = new Map<string, VectorSample>();
    this.#stored.beginRound();
    for (const { labels, state, activeAtMs } of alive) {
      const { pending, firing, forState } = this.#stored.of(labels);
      const alerts = state === 'firing' ? firing : pending;
      samples.set(alerts.key, { labels: alerts.labels, value: 1 });
      samples.set(forState.key, { labels: forState.labels, value: Math.floor(activeAtMs / 1000) });
    }
    return samples;
  }

  override inherit(from: Rule): void {
    super.inherit(from);
    if (!(from instanceof AlertingRule)) return;
    this.#active = from.#active;
    this.isRestored = from.isRestored;
  }

  /** Alerts that Alertmanagers are to hear of now. */
  takeDue(times: SendingTimes): Alert[] {
    return takeDue(this.#active.values(), times, this.#url);
  }

  /** What all of its ALERTS_FOR_STATE series have in common: templates have other values in each. */
  get stateLabels(): Labels {
    const own = this.spec.labels.filter((_, i, labels) => !labels[i | 1]!.includes(ACTION));
    return mergeLabels(overlay([], own), [METRIC_NAME, ALERTS_FOR_STATE, ALERT_NAME, this.spec.name]);
  }

  async #find(vector: readonly VectorSample[], timeMs: number): Promise<ReadonlyMap<string, FoundAlert>> {
    const found = new Map<string, FoundAlert>();
    this.#plain.beginRound();
    for (const sample of vector) {
      const facts = { name: this.spec.name, sample, timeMs };
      const { labels, key } = this.#hasLabelTemplates
        ? this.#alertOf(sample.labels, await this.#expandAll(this.spec.labels, facts))
        : this.#plain.of(sample.labels);
      const annotations = await this.#expandAll(this.spec.annotations, facts);
      if (found.has(key)) {
        throw new Error('vector contains metrics with the same labelset after applying alert labels');
      }
      found.set(key, { labels, annotations, value: sample.value });
    }
    return found;
  }

  #alertOf(given: Labels, over: Labels): Named {
    return namedOf(mergeLabels(overlay(withoutName(given), over), [ALERT_NAME, this.spec.name]));
  }

  /** Names stay, values are expanded. */
  async #expandAll(templates: Labels, facts: TemplateFacts): Promise<Labels> {
    if (!isTemplated(templates)) return templates;
    const expanded: string[] = [];
    for (let i = 0; i < templates.length; i += 2) {
      const text = templates[i + 1]!;
      expanded.push(templates[i]!, text.includes(ACTION) ? await this.#world.expand(text, facts) : text);
    }
    return expanded;
  }

  #storedForms(labels: Labels): StoredForms {
    const named = (name: string) => overlay(this.spec.labels, mergeLabels(labels, [METRIC_NAME, name]));
    const alerts = (state: AlertState) => namedOf(mergeLabels(named(ALERTS), [ALERT_STATE, state]));
    return { pending: alerts('pending'), firing: alerts('firing'), forState: namedOf(named(ALERTS_FOR_STATE)) };
  }
}

function namedOf(labels: Labels): Named {
  return { labels, key: keyOf(labels) };
}

function isTemplated(texts: Labels): boolean {
  return texts.some((text) => text.includes(ACTION));
}
