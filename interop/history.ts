/** What a graph was at every moment, from nothing but the root of each supervoxel after each edit: truth for what a server says of history. */
import type { GrapheneVolume } from 'graphene-points';
import type { World } from './worlds.ts';

export interface RootLife {
  /** Milliseconds since 1970. */
  createdMs: number;
  /** Infinity for one that stands. */
  replacedMs: number;
  supervoxels: readonly bigint[];
}

export class History {
  readonly roots = new Map<bigint, RootLife>();

  /** Asks for the roots of all supervoxels at every edit. */
  static async of(volume: GrapheneVolume, { supervoxels, baseMs, editsMs }: World): Promise<History> {
    const history = new History();
    for (const ms of new Set([baseMs, ...editsMs]))
      history.#add(ms, supervoxels, (await volume.roots(supervoxels, { timestamp: new Date(ms) })).rootIds);
    return history;
  }

  /** Roots that stand at a moment; an edit of that very millisecond has been made. */
  at(ms: number): bigint[] {
    return [...this.roots]
      .filter(([, { createdMs, replacedMs }]) => createdMs <= ms && ms < replacedMs)
      .map(([root]) => root);
  }

  life(root: bigint): RootLife {
    return this.roots.get(root)!;
  }

  /** Roots that took this one's place, at once. */
  next(root: bigint): bigint[] {
    const { replacedMs, supervoxels } = this.life(root),
      own = new Set(supervoxels);
    return [...this.roots]
      .filter(([, life]) => life.createdMs === replacedMs && life.supervoxels.some((id) => own.has(id)))
      .map(([id]) => id);
  }

  /** Roots in whose place this one came. */
  previous(root: bigint): bigint[] {
    const { createdMs, supervoxels } = this.life(root),
      own = new Set(supervoxels);
    return [...this.roots]
      .filter(([, life]) => life.replacedMs === createdMs && life.supervoxels.some((id) => own.has(id)))
      .map(([id]) => id);
  }

  /** A root, what it came from and what came of it, as far as `step` goes. */
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
