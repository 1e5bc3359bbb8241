// Trees of a ZooKeeper: whatever is at or below some paths, as it is now.
//
//   connect ► read every node, watching it ► told ─ something changed ─► read that part again
//      ▲                                       │
//      └──── the connection ended: the next server; what was known stays meanwhile
//
// Source of a group: the path of the node whose data it is from.

import type { Labels } from '../../../model/labels.js';
import type { SourcedGroup } from '../../group.js';
import type { Session } from '../../session.js';
import { parseJson, type Tree } from '../../tree.js';
import { ZooKeeperClient } from './client.js';

export interface MembersSection {
  readonly servers: readonly string[];
  readonly paths: readonly string[];
  readonly timeoutMs: number;
}

/** Labels of the member that a node describes. */
export type MemberLabels = (member: Tree, path: string) => Labels;

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

/** Resolves when the session has ended. */
export async function watchMembers(section: MembersSection, session: Session, labelsOf: MemberLabels): Promise<void> {
  const first = session.prng.int(section.servers.length);
  let retryMs = RETRY_MS_MIN;
  for (let attempt = 0; !session.hasEnded; attempt++) {
    const server = section.servers[(first + attempt) % section.servers.length]!;
    const hadListed = await new ServerWatch(server, section, session, labelsOf).run();
    if (hadListed) retryMs = RETRY_MS_MIN;
    await session.pause(retryMs * (1 + session.prng.float()));
    retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
  }
}

/** What one server says as long as it is there. */
class ServerWatch {
  readonly #section: MembersSection;
  readonly #session: Session;
  readonly #labelsOf: MemberLabels;
  readonly #client: ZooKeeperClient;
  /** Children of every node that is there, by path. */
  readonly #nodes = new Map<string, readonly string[]>();
  readonly #groups = new Map<string, SourcedGroup>();
  /** Paths to read again, each once. */
  readonly #stale = new Set<string>();
  #hasListed = false;
  #wake = () => {};
  #ended: Error | undefined;

  constructor(server: string, section: MembersSection, session: Session, labelsOf: MemberLabels) {
    this.#section = section;
    this.#session = session;
    this.#labelsOf = labelsOf;
    this.#client = new ZooKeeperClient({
      server,
      timeoutMs: section.timeoutMs,
      clock: session.clock,
      onChange: (path) => {
        this.#stale.add(path);
        this.#wake();
      },
      onEnd: (reason) => {
        this.#ended = reason;
        this.#wake();
      },
    });
  }

  /** Resolves when the connection or the session has ended: whether everything was read once. */
  async run(): Promise<boolean> {
    const forget = this.#session.onEnd(() => {
      this.#client.close();
      this.#ended = new Error('session ended');
      this.#wake();
    });
    try {
      for (const path of this.#section.paths) this.#stale.add(path);
      while (this.#ended === undefined) {
        await this.#readStale();
        await this.#nextChange();
      }
      throw this.#ended;
    } catch (error) {
      if (!this.#session.hasEnded) {
        this.#session.metrics.zookeeperFailures.value++;
        this.#session.failed(error);
      }
    } finally {
      forget();
      this.#client.close();
    }
    return this.#hasListed;
  }

  async #readStale(): Promise<void> {
    while (this.#stale.size > 0) {
      const paths = [...this.#stale];
      this.#stale.clear();
      for (const path of paths) await this.#read(path);
    }
    this.#hasListed = true;
    if (!this.#session.hasEnded) this.#session.replace(this.#groups.values());
  }

  #nextChange(): Promise<void> {
    if (this.#stale.size > 0 || this.#ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Reads a node, and those below it that were not known. */
  async #read(path: string): Promise<void> {
    const data = await this.#client.data(path);
    const children = data === undefined ? undefined : await this.#client.children(path);
    if (data === undefined || children === undefined) {
      this.#forget(path);
      // What may come there: for a path of the section nobody else would tell.
      if (this.#section.paths.includes(path) && (await this.#client.exists(path))) this.#stale.add(path);
      return;
    }
    const before = this.#nodes.get(path) ?? [];
    this.#nodes.set(path, children);
    this.#setMember(path, data);
    for (const name of before) if (!children.includes(name)) this.#forget(below(path, name));
    for (const name of children) if (!this.#nodes.has(below(path, name))) await this.#read(below(path, name));
  }

  #setMember(path: string, data: string): void {
    let member: Tree | undefined;
    try {
      member = parseJson(data);
    } catch {
      // Nodes above members have other data, or none.
    }
    if (member === undefined || member.entries.length === 0) this.#groups.delete(path);
    else this.#groups.set(path, { source: path, labels: [], targets: [this.#labelsOf(member, path)] });
  }

  #forget(path: string): void {
    for (const name of this.#nodes.get(path) ?? []) this.#forget(below(path, name));
    this.#nodes.delete(path);
    this.#groups.delete(path);
  }
}

function below(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}
