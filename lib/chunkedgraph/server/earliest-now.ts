/**
 * What "now" of a graph must not lie before, shared by all volumes of the process that are open on it, those of another copy of this
 * package included: the newest "now" that was given, and the newest edit that was made from here.
 */
import type { GraphPath } from './graph-path.ts';

/** Other copies of the package hold the same objects: a change of this shape needs another symbol. */
interface Shared {
  lastMs: number;
  editMs: number;
}

const ALL = Symbol.for('graphene-points.graph-present.v1');

export class EarliestNow {
  readonly #shared: Shared;

  /** @param shared What several volumes have in common. @default nothing */
  constructor(shared: Shared = { lastMs: -Infinity, editMs: -Infinity }) {
    this.#shared = shared;
  }

  /** A moment after the newest edit of this process, and after every "now" that was given before the edit was done. */
  get editMs(): number {
    return this.#shared.editMs;
  }

  /** @returns `ms`, or a later moment when "now" was there already. */
  advanceTo(ms: number): number {
    const shared = this.#shared;
    return (shared.lastMs = Math.max(ms, shared.lastMs, shared.editMs));
  }

  /**
   * An edit with this timestamp is done. "Now" comes after every earlier "now" as well: an edit bears the time of its lock, so a question
   * about a later moment may have been sent before the edit was written, and its answer must not be shared with whoever asks afterwards.
   */
  noteEdit(ms: number): void {
    const shared = this.#shared;
    shared.editMs = Math.max(shared.editMs, ms, shared.lastMs + 1);
  }
}

/** The same for all who name this server and table. */
export function getEarliestNow({ host, table }: GraphPath): EarliestNow {
  const global = globalThis as { [ALL]?: Map<string, Shared> };
  const all = (global[ALL] ??= new Map<string, Shared>());
  const key = `${host}/${table}`;
  let shared = all.get(key);
  if (!shared) all.set(key, (shared = { lastMs: -Infinity, editMs: -Infinity }));
  return new EarliestNow(shared);
}
