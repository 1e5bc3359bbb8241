// The names of a SimDisk: folders, and the changes to them that no folder sync has made durable yet.
//
// A name that was made, moved or removed is pending until its folder is synced. At a crash each pending change
// reaches the disk or does not, independently: a rename may be there without the file's bytes, a later name
// without an earlier one. A folder's entries are its own: they move with it, and go with it.

import { type Loss, SimFile } from './sim-file.js';

export type Node = SimFile | SimFolder;

export class SimFolder {
  live = new Map<string, Node>();
  durable = new Map<string, Node>();
}

/** What happened to names of one folder, or of two where something moved between them. */
interface NameChange {
  readonly folders: readonly SimFolder[];
  readonly apply: (names: (folder: SimFolder) => Map<string, Node>) => void;
}

interface Place {
  readonly folder: SimFolder;
  readonly name: string;
}

/** Paths are steps between slashes; empty ones and `.` do not count. Nothing here throws: absent is undefined. */
export class SimNames {
  #root = new SimFolder();
  #pending: NameChange[] = [];

  find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const step of stepsOf(path)) {
      if (!(node instanceof SimFolder)) return undefined;
      node = node.live.get(step);
    }
    return node;
  }

  /** The folder that `path` is or would be in. */
  place(path: string): Place | undefined {
    const steps = stepsOf(path);
    const name = steps.pop();
    const folder = this.find(steps.join('/'));
    return name === undefined || !(folder instanceof SimFolder) ? undefined : { folder, name };
  }

  set({ folder, name }: Place, node: Node): void {
    this.#change([folder], (names) => names(folder).set(name, node));
  }

  drop({ folder, name }: Place): void {
    this.#change([folder], (names) => names(folder).delete(name));
  }

  move(from: Place, to: Place, node: Node): void {
    this.#change([from.folder, to.folder], (names) => {
      names(from.folder).delete(from.name);
      names(to.folder).set(to.name, node);
    });
  }

  /** Everything done to the folder's names so far is durable. */
  sync(folder: SimFolder): void {
    const touches = (change: NameChange) => change.folders.includes(folder);
    for (const change of this.#pending.filter(touches)) change.apply((where) => where.durable);
    this.#pending = this.#pending.filter((change) => !touches(change));
  }

  crash(loss: Loss | undefined): void {
    for (const change of this.#pending) {
      if (loss !== undefined && loss.prng.float() < loss.kept) change.apply((where) => where.durable);
    }
    this.#pending = [];
    for (const node of this.#nodes((folder) => folder.durable)) {
      if (node instanceof SimFolder) node.live = new Map(node.durable);
      else node.crash(loss);
    }
  }

  /** All that programs can reach, each once. */
  *files(): Generator<SimFile, void, void> {
    for (const node of this.#nodes((folder) => folder.live)) if (node instanceof SimFile) yield node;
  }

  /** Paths and files, in order. */
  *walk(path = '', folder: SimFolder = this.#root): Generator<[path: string, file: SimFile], void, void> {
    for (const name of [...folder.live.keys()].sort()) {
      const node = folder.live.get(name)!;
      const inner = path === '' ? name : `${path}/${name}`;
      if (node instanceof SimFile) yield [inner, node];
      else yield* this.walk(inner, node);
    }
  }

  #change(folders: readonly SimFolder[], apply: NameChange['apply']): void {
    apply((folder) => folder.live);
    this.#pending.push({ folders, apply });
  }

  *#nodes(names: (folder: SimFolder) => Map<string, Node>): Generator<Node, void, void> {
    const seen = new Set<Node>();
    const left: Node[] = [this.#root];
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      if (node instanceof SimFolder) left.push(...names(node).values());
      yield node;
    }
  }
}

function stepsOf(path: string): string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.');
}
