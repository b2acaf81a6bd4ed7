/**
 * Keeps the lower limit of "now" for each graph: the newest "now" that was given, and the newest edit that
 * this process made. All volumes in the process that are open on a graph share it, even across two copies of
 * this package.
 */
import type { GraphPath } from './graph-path.ts';

/** Other copies of the package use the same objects. A change of this shape needs a new symbol. */
interface Shared {
  lastMs: number;
  editMs: number;
}

const ALL = Symbol.for('graphene-points.graph-present.v1');

/** The lower limit of "now" for one graph. Timestamps are in ms since 1970. */
export class EarliestNow {
  readonly #shared: Shared;

  /** @param shared State that several volumes share. @default a state of its own */
  constructor(shared: Shared = { lastMs: -Infinity, editMs: -Infinity }) {
    this.#shared = shared;
  }

  /**
   * A timestamp after the newest edit of this process, and after every "now" that was given before that edit
   * was done.
   */
  get editMs(): number {
    return this.#shared.editMs;
  }

  /**
   * Moves "now" forward.
   *
   * @returns `ms`, or a later timestamp if "now" was there already.
   */
  advanceTo(ms: number): number {
    const shared = this.#shared;
    return (shared.lastMs = Math.max(ms, shared.lastMs, shared.editMs));
  }

  /**
   * Notes that an edit with this timestamp is done. "Now" also moves past every earlier "now". An edit has
   * the timestamp of its lock, so a request for a later timestamp may have been sent before the edit was
   * written. Its answer must not be shared with a caller that comes after the edit.
   */
  noteEdit(ms: number): void {
    const shared = this.#shared;
    shared.editMs = Math.max(shared.editMs, ms, shared.lastMs + 1);
  }
}

/** Returns the limit that all volumes on this server and table share. */
export function getEarliestNow({ host, table }: GraphPath): EarliestNow {
  const global = globalThis as { [ALL]?: Map<string, Shared> };
  const all = (global[ALL] ??= new Map<string, Shared>());
  const key = `${host}/${table}`;
  let shared = all.get(key);
  if (!shared) all.set(key, (shared = { lastMs: -Infinity, editMs: -Infinity }));
  return new EarliestNow(shared);
}
