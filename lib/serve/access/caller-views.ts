/**
 * The views of graphs with the tokens of callers. A view is kept while requests use it, and for some time after, so
 * that its roots are kept, too. The least recently used ones are closed.
 *
 * Memory: at most {@link MAX_IDLE_VIEWS} views and those in use; 3 MB each if their root caches are full.
 */
import type { GrapheneVolume } from '../../graphene/graphene-volume.ts';
import { viewWithToken } from '../../graphene/token-view.ts';
import type { ServedVolume } from '../volumes.ts';

/** Most views that no request uses. */
export const MAX_IDLE_VIEWS = 32;
/** Most pairs of a supervoxel and a root in the root cache of one view: 23 to 84 bytes each. */
const ROOT_CACHE_ENTRIES = 100_000;

interface OpenView {
  readonly graph: GrapheneVolume;
  users: number;
}

/** The views of one service. */
export class CallerViews {
  /** By key of the token and name of the volume; the least recently used first. */
  readonly #views = new Map<string, OpenView>();

  /**
   * Returns the graph of a volume as the owner of a token sees it.
   * @param key The key of the token.
   * @returns The view, and what to call when the request has ended.
   */
  acquire(
    { name, opened }: ServedVolume,
    token: string,
    key: string,
  ): { graph: GrapheneVolume; release: () => void } {
    const id = `${key} ${name}`;
    const view = this.#views.get(id) ?? {
      graph: viewWithToken(opened.graph!, token, {
        from: 'the request',
        rootCacheEntries: ROOT_CACHE_ENTRIES,
      }),
      users: 0,
    };
    this.#views.delete(id);
    this.#views.set(id, view);
    view.users++;
    this.#closeIdle(MAX_IDLE_VIEWS);
    return { graph: view.graph, release: () => this.#release(id, view) };
  }

  /** Forgets the views of a token that is no longer accepted. Requests that have begun go on. */
  forget(key: string): void {
    for (const [id, view] of this.#views)
      if (id.startsWith(`${key} `)) {
        this.#views.delete(id);
        if (view.users === 0) void view.graph.close();
      }
  }

  /** How many views are open, besides forgotten ones that are in use. */
  get size(): number {
    return this.#views.size;
  }

  #release(id: string, view: OpenView): void {
    view.users--;
    if (view.users > 0) return;
    if (this.#views.get(id) === view) this.#closeIdle(MAX_IDLE_VIEWS);
    else void view.graph.close();
  }

  #closeIdle(most: number): void {
    let idle = [...this.#views.values()].filter(({ users }) => users === 0).length;
    for (const [id, view] of this.#views) {
      if (idle <= most) return;
      if (view.users > 0) continue;
      this.#views.delete(id);
      void view.graph.close();
      idle--;
    }
  }
}
