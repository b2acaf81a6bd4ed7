/**
 * The history of a graph, made only from the root of each supervoxel after each edit: the truth for a
 * server's answers.
 */
import type { GrapheneVolume } from 'graphene-points';
import type { World } from './worlds.ts';

/** When a root was created and replaced, and its supervoxels. */
export interface RootLife {
  /** Milliseconds since 1970. */
  createdMs: number;
  /** Milliseconds since 1970; Infinity for a latest root. */
  replacedMs: number;
  supervoxels: readonly bigint[];
}

export class History {
  readonly roots = new Map<bigint, RootLife>();

  /** Looks up the roots of all supervoxels at the base and at every edit. */
  static async of(volume: GrapheneVolume, { supervoxels, baseMs, editsMs }: World): Promise<History> {
    const history = new History();
    for (const ms of new Set([baseMs, ...editsMs]))
      history.#add(ms, supervoxels, (await volume.roots(supervoxels, { timestamp: new Date(ms) })).rootIds);
    return history;
  }

  /** Returns the latest roots at a timestamp, edits of the same millisecond included. */
  at(ms: number): bigint[] {
    return [...this.roots]
      .filter(([, { createdMs, replacedMs }]) => createdMs <= ms && ms < replacedMs)
      .map(([root]) => root);
  }

  life(root: bigint): RootLife {
    return this.roots.get(root)!;
  }

  /** Returns the roots that replaced this root directly. */
  next(root: bigint): bigint[] {
    const { replacedMs, supervoxels } = this.life(root),
      own = new Set(supervoxels);
    return [...this.roots]
      .filter(([, life]) => life.createdMs === replacedMs && life.supervoxels.some((id) => own.has(id)))
      .map(([id]) => id);
  }

  /** Returns the roots that this root replaced directly. */
  previous(root: bigint): bigint[] {
    const { createdMs, supervoxels } = this.life(root),
      own = new Set(supervoxels);
    return [...this.roots]
      .filter(([, life]) => life.replacedMs === createdMs && life.supervoxels.some((id) => own.has(id)))
      .map(([id]) => id);
  }

  /** Returns a root and all roots that repeated steps reach from it. */
  closure(root: bigint, step: (root: bigint) => bigint[]): Set<bigint> {
    const found = new Set([root]);
    for (const id of found) for (const other of step(id)) found.add(other);
    return found;
  }

  #add(ms: number, supervoxels: BigUint64Array, roots: BigUint64Array): void {
    const members = new Map<bigint, bigint[]>();
    roots.forEach((root, k) => {
      const list = members.get(root);
      if (list) list.push(supervoxels[k]);
      else members.set(root, [supervoxels[k]]);
    });
    for (const [root, life] of this.roots)
      if (life.replacedMs === Infinity && !members.has(root)) life.replacedMs = ms;
    for (const [root, list] of members)
      if (!this.roots.has(root))
        this.roots.set(root, { createdMs: ms, replacedMs: Infinity, supervoxels: list });
  }
}
