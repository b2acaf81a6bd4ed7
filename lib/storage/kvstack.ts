/**
 * Lays several stores over one another: each layer holds the keys of a range, and later layers come first.
 * Source: TensorStore, kvstore/kvstack/index.rst, kvstack_key_value_store.cc and key_range.cc. Lengths and the
 * order of keys are those of their UTF-8 bytes.
 *
 * A key that no layer holds is not stored. TensorStore 0.1.86 reads it from the layer below the gap, if a later
 * layer begins above the gap: its map of ranges extends that layer, against its own documentation.
 */
import { PathError } from '../base/errors.ts';
import type { ReadOptions, Store, StoredObject, StoreServer } from './store.ts';

/** A range of keys, as bytes in a string: one character per byte. */
export interface KeyRange {
  readonly min: string;
  /** Undefined: no upper end. Exclusive. */
  readonly max: string | undefined;
}

/** Which keys a layer holds. At most one of `exact`, `prefix`, and one or both of the bounds. */
export interface LayerRange {
  exact?: string;
  prefix?: string;
  inclusiveMin?: string;
  /** Empty: no upper end. */
  exclusiveMax?: string;
  /** How many bytes of a key are left out in the layer's store. @default all that its keys share */
  stripPrefix?: number;
}

/** One layer. */
export interface KvStackLayer extends LayerRange {
  store: Store;
  /** Comes before each key in the layer's store, after the prefix was left out. @default '' */
  base?: string;
}

/** A layer, with its range worked out. */
interface Mapping {
  readonly store: Store;
  readonly base: string;
  readonly range: KeyRange;
  readonly strip: number;
}

/** The bytes of a text, one character per byte. */
export const toByteText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const fromByteText = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

/** Returns the range of a layer. @throws TypeError if it names more than one. */
export function keyRangeOf({ exact, prefix, inclusiveMin, exclusiveMax }: LayerRange): KeyRange {
  const kinds = [exact, prefix, inclusiveMin ?? exclusiveMax].filter((kind) => kind !== undefined);
  if (kinds.length > 1)
    throw new TypeError('a layer of a kvstack has one of exact, prefix and inclusive_min/exclusive_max');
  if (exact !== undefined) return { min: toByteText(exact), max: `${toByteText(exact)}\0` };
  if (prefix !== undefined) return { min: toByteText(prefix), max: afterPrefix(toByteText(prefix)) };
  const range = {
    min: toByteText(inclusiveMin ?? ''),
    max: exclusiveMax ? toByteText(exclusiveMax) : undefined,
  };
  if (range.max !== undefined && range.min > range.max)
    throw new TypeError('a layer of a kvstack has an inclusive_min above its exclusive_max');
  return range;
}

/** The least key above all keys with a prefix. */
function afterPrefix(prefix: string): string | undefined {
  const kept = prefix.replace(/\xff+$/, '');
  return kept === ''
    ? undefined
    : kept.slice(0, -1) + String.fromCharCode(kept.charCodeAt(kept.length - 1) + 1);
}

/**
 * How many bytes the keys of a range share, as TensorStore counts them: it also counts the last byte of a lower
 * bound that is shorter than the upper one and just below it.
 */
export function sharedLength({ min, max }: KeyRange): number {
  const passFull = (from: number): number => {
    let end = from;
    while (min[end] === '\xff') end++;
    return end;
  };
  if (max === undefined) return passFull(0);
  const least = Math.min(min.length, max.length);
  let shared = 0;
  while (shared < least && min[shared] === max[shared]) shared++;
  return shared + 1 === least && min.charCodeAt(shared) + 1 === max.charCodeAt(shared)
    ? passFull(shared + 1)
    : shared;
}

const holds = ({ min, max }: KeyRange, key: string): boolean =>
  min <= key && (max === undefined || key < max);

/** Reads each key from the last layer that holds it. A key that no layer holds is not stored. */
export class KvStackStore implements Store {
  readonly url: string;
  readonly identity?: NonNullable<Store['identity']>;
  readonly list?: NonNullable<Store['list']>;
  readonly #layers: readonly Mapping[];

  /**
   * @param layers The first is the lowest.
   * @throws TypeError for a range, or a number of bytes to leave out, that is impossible.
   */
  constructor(layers: readonly KvStackLayer[]) {
    this.#layers = layers.map((layer): Mapping => {
      const range = keyRangeOf(layer),
        shared = sharedLength(range),
        strip = layer.stripPrefix ?? shared;
      if (!(Number.isSafeInteger(strip) && strip >= 0 && strip <= shared))
        throw new TypeError(`strip_prefix of a kvstack's layer is ${strip}; its keys share ${shared} bytes`);
      return { store: layer.store, base: layer.base ?? '', range, strip };
    });
    this.url = `kvstack(${this.#layers.map(({ store, base }) => `${store.url}${base && `/${base}`}`).join(', ')})`;
    const stores = this.#layers.map(({ store }) => store);
    if (stores.every((store) => store.identity !== undefined))
      this.identity = async () =>
        Promise.all(
          this.#layers.map(async ({ store, base, range, strip }) => [
            store.url,
            await store.identity!(),
            base,
            range,
            strip,
          ]),
        );
    if (stores.every((store) => store.list !== undefined))
      this.list = (prefix, options) => this.#list(prefix, options);
  }

  /** The server of the lowest layer. */
  get server(): StoreServer | undefined {
    return this.#layers.at(0)?.store.server;
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    const bytes = toByteText(key),
      layer = this.#layerOf(bytes);
    options.signal?.throwIfAborted();
    if (!layer) return undefined;
    const mapped = layer.base + fromByteText(bytes.slice(layer.strip));
    if (mapped === '')
      throw new PathError(
        'BAD_PATH',
        `${this.url}: the layer of the key ${JSON.stringify(key)} names no file`,
      );
    return layer.store.read(mapped, options);
  }

  #layerOf(key: string): Mapping | undefined {
    return this.#layers.findLast(({ range }) => holds(range, key));
  }

  async #list(prefix: string, options?: { signal?: AbortSignal }): Promise<string[]> {
    const wanted = toByteText(prefix),
      found = await Promise.all(this.#layers.map((layer) => this.#listLayer(layer, wanted, options)));
    return found.flat();
  }

  /** Lists the keys that a layer holds, and no layer above it. */
  async #listLayer(
    layer: Mapping,
    wanted: string,
    options: { signal?: AbortSignal } | undefined,
  ): Promise<string[]> {
    const { store, base, range, strip } = layer,
      stripped = range.min.slice(0, strip);
    if (!wanted.startsWith(stripped) && !stripped.startsWith(wanted)) return [];
    const keys = await store.list!(base + fromByteText(wanted.slice(strip)), options);
    return keys
      .filter((key) => key.startsWith(base))
      .map((key) => stripped + toByteText(key.slice(base.length)))
      .filter((key) => key.startsWith(wanted) && this.#layerOf(key) === layer)
      .map(fromByteText);
  }
}
