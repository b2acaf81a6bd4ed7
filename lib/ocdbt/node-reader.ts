/**
 * Reads nodes of the B+tree: neighbouring ones in one request, and none twice. Data files never change, so a
 * node is known by its place, whatever the version that refers to it.
 *
 * Memory: the cache, and for each read in flight its bytes (8 MiB, or one larger node) and a few decoded nodes.
 */
import { LRUCache } from 'lru-cache';
import { leaveOnAbort } from '../base/abort.ts';
import { DecodeError } from '../base/errors.ts';
import type { Store } from '../storage/store.ts';
import { unwrapStructure } from './decode-structure.ts';
import { checkBtreeNode, decodeBtreeNode, type BtreeNode } from './format/btree-node.ts';
import type { DataRef } from './format/data-files.ts';
import { planSlices, rangeOf, type PlannedSlice } from './plan-slices.ts';
import { readSlice, type SliceOptions } from './read-slice.ts';

/** Bounds of a {@link NodeReader}. */
export interface NodeReaderOptions {
  /** Size of the cache of decoded nodes in bytes. @default 64 MiB */
  cacheBytes?: number;
  /** Most nodes in the cache. @default 16_384 */
  cacheNodes?: number;
}

/** A node that is wanted, and what its parent says of it. */
export interface NodeRequest {
  readonly ref: DataRef;
  readonly height: number;
  /** The least key that it may hold, without what it does not store. */
  readonly least: Uint8Array;
}

/** Receives a node, or why it could not be read. */
export type VisitNode = (request: number, node: BtreeNode | undefined, error: unknown) => void;

/** A read in flight, and how many calls wait for it. */
interface GroupRead {
  callers: number;
  readonly abort: AbortController;
}
interface InFlight {
  readonly group: GroupRead;
  readonly node: Promise<BtreeNode>;
}

/** Reads of one call at the same time. */
const READS_AT_ONCE = 8;
/** The largest node that is read, whatever the database allows. */
const MOST_NODE_BYTES = 256 * 1024 * 1024;
/** A node may be larger than the database says: one entry is never split. */
const NODE_SLACK = 4 * 1024 * 1024;

/** Most bytes of a decoded node in a database that allows `maxNodeBytes`. */
export const nodeLimit = (maxNodeBytes: number): number =>
  Math.min(MOST_NODE_BYTES, 2 * maxNodeBytes + NODE_SLACK);

/** Reads and caches the nodes of one database. */
export class NodeReader {
  readonly #store: Store;
  readonly #cache: LRUCache<string, BtreeNode>;
  readonly #inFlight = new Map<string, InFlight>();

  constructor(store: Store, { cacheBytes = 64 * 1024 * 1024, cacheNodes = 16_384 }: NodeReaderOptions = {}) {
    this.#store = store;
    this.#cache = new LRUCache({
      max: cacheNodes,
      maxSize: cacheBytes,
      sizeCalculation: ({ bytes }) => bytes,
    });
  }

  /**
   * Reads nodes, and passes each to `visit` as soon as it is there.
   * @param maxBytes Most bytes of a decoded node.
   * @throws signal.reason
   */
  async readNodes(
    requests: readonly NodeRequest[],
    maxBytes: number,
    options: SliceOptions,
    visit: VisitNode,
  ): Promise<void> {
    const checked: VisitNode = (k, node, error) => {
      if (!node) return visit(k, undefined, error);
      const { height, least, ref } = requests[k];
      try {
        checkBtreeNode(node, height, least, (message) => this.#error(ref, message));
      } catch (mismatch) {
        return visit(k, undefined, mismatch);
      }
      visit(k, node, undefined);
    };
    const missing: number[] = [];
    for (const [k, { ref }] of requests.entries()) {
      const node = this.#cache.get(placeOf(ref));
      if (node) checked(k, node, undefined);
      else missing.push(k);
    }
    const slices = planSlices(missing.map((k) => requests[k].ref)).values();
    const work = async (): Promise<void> => {
      for (const slice of slices) {
        const members = slice.members.map((member) => missing[member]),
          refs = members.map((k) => requests[k].ref);
        await this.#readGroup(slice, refs, maxBytes, options, (member, node, error) =>
          checked(members[member], node, error),
        );
      }
    };
    await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, missing.length) }, work));
  }

  /** Reads the nodes of one slice that no other call is reading, and waits for the others. */
  async #readGroup(
    slice: PlannedSlice,
    refs: readonly DataRef[],
    maxBytes: number,
    options: SliceOptions,
    visit: VisitNode,
  ): Promise<void> {
    const signal = options.stop?.signal ?? options.signal;
    signal?.throwIfAborted();
    const places = refs.map(placeOf),
      unread = refs.filter((_, k) => !this.#cache.has(places[k]) && !this.#inFlight.has(places[k]));
    const starting =
      unread.length === refs.length ? [{ ...slice, members: [...refs.keys()] }] : planSlices(unread);
    for (const part of starting)
      this.#start(
        part,
        part.members.map((k) => unread[k]),
        maxBytes,
        options,
      );
    const groups = new Set<GroupRead>();
    const waiting: (Promise<BtreeNode> | BtreeNode | undefined)[] = places.map((place) => {
      const inFlight = this.#inFlight.get(place);
      if (!inFlight) return this.#cache.get(place);
      groups.add(inFlight.group);
      return inFlight.node;
    });
    for (const group of groups) group.callers++;
    const leave = (): void => {
      for (const group of groups) if (--group.callers === 0) group.abort.abort(signal?.reason);
      groups.clear();
    };
    try {
      for (let k = 0; k < waiting.length; k++) {
        const node = waiting[k];
        waiting[k] = undefined; // a node that was visited may be freed
        let found: BtreeNode | undefined, failure: unknown;
        try {
          found = await leaveOnAbort(Promise.resolve(node!), signal, leave);
        } catch (error) {
          signal?.throwIfAborted();
          failure = error;
        }
        visit(k, found, failure);
      }
    } finally {
      leave();
    }
  }

  /** Starts one read. The nodes are decoded one after the other. */
  #start(slice: PlannedSlice, refs: readonly DataRef[], maxBytes: number, { meter }: SliceOptions): void {
    const group: GroupRead = { callers: 0, abort: new AbortController() },
      reading = readSlice(this.#store, slice.path, slice, { signal: group.abort.signal, meter });
    let before: Promise<unknown> = reading;
    const seen = new Set<string>(),
      forgets: (() => void)[] = [];
    for (const ref of refs) {
      const place = placeOf(ref);
      if (seen.has(place)) continue;
      seen.add(place);
      const decode = async (): Promise<BtreeNode> => {
        const bytes = await reading,
          { start, end } = rangeOf(ref);
        group.abort.signal.throwIfAborted();
        try {
          const content = await unwrapStructure(
            bytes.subarray(start - slice.start, end - slice.start),
            'B+tree node',
            maxBytes,
          );
          return decodeBtreeNode(content, ref.file.basePath, maxBytes);
        } catch (error) {
          throw error instanceof DecodeError ? this.#error(ref, error.message, error) : error;
        }
      };
      const node = before.then(decode, decode);
      before = node;
      const inFlight: InFlight = { group, node };
      this.#inFlight.set(place, inFlight);
      const forget = (): void => {
        if (this.#inFlight.get(place) === inFlight) this.#inFlight.delete(place);
      };
      forgets.push(forget);
      node.then((value) => {
        this.#cache.set(place, value);
        forget();
      }, forget);
    }
    group.abort.signal.addEventListener(
      'abort',
      () => {
        for (const forget of forgets) forget();
      },
      { once: true },
    );
  }

  #error(ref: DataRef, message: string, cause?: DecodeError): DecodeError {
    const { start, end } = rangeOf(ref);
    return new DecodeError(
      cause?.code ?? 'BAD_HEADER',
      `${this.#store.url}/${ref.file.path}, bytes ${start} to ${end}: ${message}`,
      { cause },
    );
  }
}

/** Names the place of a node. The base path decides what the paths in the node mean. */
const placeOf = ({ file, offset, length }: DataRef): string =>
  `${file.basePath.length} ${offset} ${length} ${file.path}`;
