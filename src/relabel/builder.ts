// Label sets under change.
//
// Rules see the labels in an order, and with `labelmap` the last of two equal names
// wins. The order is that of Prometheus's builder: first the labels as they came,
// by name, then those that were set since, in the order of their first setting.

import { type Labels, labelsOf } from '../model/labels.js';

export class LabelsBuilder {
  readonly #values = new Map<string, string>();
  /** Names set since the start. */
  readonly #set = new Set<string>();

  constructor(labels: Labels) {
    for (let i = 0; i < labels.length; i += 2) {
      if (labels[i + 1] !== '') this.#values.set(labels[i]!, labels[i + 1]!);
    }
  }

  /** Empty where there is no such label. */
  get(name: string): string {
    return this.#values.get(name) ?? '';
  }

  /** An empty value removes the label. */
  set(name: string, value: string): void {
    if (value === '') {
      this.delete(name);
      return;
    }
    if (!this.#set.has(name)) {
      this.#values.delete(name);
      this.#set.add(name);
    }
    this.#values.set(name, value);
  }

  delete(name: string): void {
    this.#values.delete(name);
    this.#set.delete(name);
  }

  /** The pairs as they are now: later changes do not show. */
  entries(): [name: string, value: string][] {
    return [...this.#values];
  }

  labels(): Labels {
    return labelsOf(this.#values);
  }
}
