// A fleet of services: jobs, instances of them, and the series each instance exposes, numbered from 0.
//
//   series index = instance × perInstance + place in the exporter's page
//
// Instances of one job have the same families; each has its own values.

import { exporterFamilies, type SeriesSpec } from './families.js';
import { mix, Values } from './values.js';

export interface FleetSize {
  readonly series: number;
  /** Series of one instance. */
  readonly perInstance: number;
}

const JOBS = ['api', 'web', 'checkout', 'search', 'mail', 'billing', 'auth', 'media'];
const NAMESPACES = ['prod', 'staging', 'batch'];

export type Label = readonly [name: string, value: string];

export class Fleet {
  readonly instances: number;
  readonly values: Values;
  readonly #pages: readonly (readonly SeriesSpec[])[];

  constructor(
    readonly size: FleetSize,
    readonly seed: number,
  ) {
    this.instances = Math.ceil(size.series / size.perInstance);
    this.#pages = JOBS.map((_, job) =>
      exporterFamilies(size.perInstance, seed + job).flatMap((family) => family.series),
    );
    this.values = new Values(size.series);
    for (let index = 0; index < size.series; index++) this.values.set(index, this.#behaviour(index));
  }

  /** All labels of a series, the name among them, sorted by name. A later generation is another pod: a new series. */
  labels(index: number, generation = 0): Label[] {
    const instance = Math.floor(index / this.size.perInstance);
    const all = [...this.pageLabels(index), ...this.target(instance, generation)];
    return all.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** What the exporter's page says: the name, then the labels. */
  pageLabels(index: number): [name: Label, ...labels: Label[]] {
    const { name, labels } = this.#spec(index);
    return [['__name__', name], ...labels];
  }

  /** What a scraper would add: of the target, not of the page. */
  target(instance: number, generation = 0): Label[] {
    const job = JOBS[this.job(instance)]!;
    const pod = `${job}-${mix(this.seed + generation, instance)
      .toString(36)
      .padStart(7, '0')}`;
    const machine = mix(this.seed, instance % 97);
    return [
      ['instance', this.instance(instance)],
      ['job', job],
      ['namespace', NAMESPACES[instance % NAMESPACES.length]!],
      ['node', `node-${(machine % 97).toString().padStart(3, '0')}`],
      ['pod', pod],
    ];
  }

  instance(instance: number): string {
    return `10.${20 + (instance >> 16)}.${(instance >> 8) & 255}.${instance & 255}:8080`;
  }

  /** Which job an instance is of, as a number. */
  job(instance: number): number {
    return instance % JOBS.length;
  }

  #spec(index: number): SeriesSpec {
    const instance = Math.floor(index / this.size.perInstance);
    const page = this.#pages[this.job(instance)]!;
    return page[index % this.size.perInstance]!;
  }

  #behaviour(index: number) {
    const { behaviour } = this.#spec(index);
    const instance = Math.floor(index / this.size.perInstance);
    return { ...behaviour, key: mix(behaviour.key, instance) };
  }
}
