/**
 * A database in the OCDBT format that is written commit by commit, as TensorStore writes it: a commit adds one
 * data file with its values and the nodes that changed, and replaces the manifest. Nodes that did not change stay
 * where they are. Source: TensorStore, tensorstore/kvstore/ocdbt/index.rst.
 */
import { randomFrom } from '../random.ts';
import {
  commonPrefix,
  encodeInterior,
  encodeLeaf,
  encodeManifest,
  encodeVersionNode,
  type DataRange,
  type LeafEntry,
  type NodeReference,
  type OcdbtCompression,
  type OcdbtConfig,
  type SubtreeCounts,
  type VersionEntry,
  type VersionNodeEntry,
} from './ocdbt-encoding.ts';

/** Options of {@link OcdbtDatabase}. */
export interface OcdbtDatabaseOptions {
  /** Folder of new data files, relative to the database. @default 'd/' */
  dataPrefix?: string;
  /** Most entries of a node. Real databases have far more. @default 8 */
  nodeEntries?: number;
  /** Values up to this size are stored in the leaves. @default 100 */
  maxInlineValueBytes?: number;
  /** Base-2 logarithm of the arity of the version tree. @default 4 */
  versionTreeArityLog2?: number;
  /** Compression of the manifest and of nodes. @default 'zstd' */
  compression?: OcdbtCompression;
  /** Seed of the names of data files. @default 1 */
  seed?: number;
}

/** A node in memory: a leaf, or the children of an interior node. */
interface TreeNode {
  height: number;
  entries: readonly LeafEntry[] | readonly TreeNode[];
  firstKey: string;
  lastKey: string;
  /** Where the node is stored, and the prefix that its parent states. Undefined until it is written. */
  stored?: { range: DataRange; prefix: string; counts: SubtreeCounts };
}

/** What a commit writes, by key. */
export type OcdbtFiles = Record<string, Uint8Array>;

/** The database. It keeps all its versions. */
export class OcdbtDatabase {
  readonly #options: Required<OcdbtDatabaseOptions>;
  readonly #config: OcdbtConfig;
  readonly #random: () => number;
  readonly #versions: VersionEntry[] = [];
  readonly #versionNodes = new Map<string, VersionNodeEntry>();
  #leaves: readonly TreeNode[] = [];
  #interiors: readonly TreeNode[] = [];

  constructor({
    dataPrefix = 'd/',
    nodeEntries = 8,
    maxInlineValueBytes = 100,
    versionTreeArityLog2 = 4,
    compression = 'zstd',
    seed = 1,
  }: OcdbtDatabaseOptions = {}) {
    this.#options = { dataPrefix, nodeEntries, maxInlineValueBytes, versionTreeArityLog2, compression, seed };
    this.#random = randomFrom(seed);
    this.#config = {
      uuid: Uint8Array.from({ length: 16 }, () => Math.floor(256 * this.#random())),
      maxInlineValueBytes,
      maxDecodedNodeBytes: 8_388_608,
      versionTreeArityLog2,
      compression,
    };
  }

  /** The newest generation; 0 before the first commit. */
  get generation(): number {
    return this.#versions.length;
  }

  /** A database with the same versions, whose later commits write their data files to another folder. */
  fork(dataPrefix: string): OcdbtDatabase {
    const fork = new OcdbtDatabase({ ...this.#options, dataPrefix, seed: this.#options.seed + 1 });
    fork.#config.uuid.set(this.#config.uuid);
    fork.#versions.push(...this.#versions);
    fork.#leaves = this.#leaves;
    fork.#interiors = this.#interiors;
    for (const [name, node] of this.#versionNodes) fork.#versionNodes.set(name, node);
    return fork;
  }

  /**
   * Writes keys.
   * @param changes The value of each key; undefined deletes it.
   * @returns The new data file and the manifest.
   */
  commit(changes: ReadonlyMap<string, Uint8Array | undefined>, commitMs: number): OcdbtFiles {
    const file = new DataFile(`${this.#options.dataPrefix}${this.#hexName()}`);
    this.#leaves = this.#changeLeaves(this.#storeValues(changes, file));
    const root = this.#grow();
    const generation = this.generation + 1;
    if (!root) throw new RangeError('a database without keys is not supported');
    const { range, counts } = this.#store(root, '', file);
    this.#versions.push({ ...range, ...counts, generation, height: root.height, commitMs });
    const manifest = this.#manifest(file);
    return { [file.path]: file.bytes(), 'manifest.ocdbt': manifest };
  }

  #storeValues(
    changes: ReadonlyMap<string, Uint8Array | undefined>,
    file: DataFile,
  ): Map<string, LeafEntry['value'] | undefined> {
    const { maxInlineValueBytes } = this.#options;
    return new Map(
      [...changes].map(([key, value]) => [
        key,
        value && value.length > maxInlineValueBytes ? file.add(value) : value,
      ]),
    );
  }

  /** The leaves after changes. A leaf that has none stays the same object. */
  #changeLeaves(changes: ReadonlyMap<string, LeafEntry['value'] | undefined>): TreeNode[] {
    const left = new Map(changes),
      old = this.#leaves.length > 0 ? this.#leaves : [leafOf([])];
    const changed = old.flatMap((leaf, k) => {
      const next = old[k + 1] as TreeNode | undefined,
        own = [...left.keys()].filter((key) => next === undefined || key < next.firstKey);
      if (own.length === 0) return [leaf];
      const entries = new Map((leaf.entries as readonly LeafEntry[]).map(({ key, value }) => [key, value]));
      for (const key of own) {
        const value = left.get(key);
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
        left.delete(key);
      }
      const sorted = [...entries]
        .map(([key, value]) => ({ key, value }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      return inGroups(sorted, this.#options.nodeEntries).map(leafOf);
    });
    return changed.filter(({ entries }) => entries.length > 0);
  }

  /** Builds the nodes above the leaves. A node whose children are the same objects stays the same, too. */
  #grow(): TreeNode | undefined {
    const known = this.#interiors,
      interiors: TreeNode[] = [];
    let level: readonly TreeNode[] = this.#leaves;
    while (level.length > 1) {
      level = inGroups(level, this.#options.nodeEntries).map((children) => {
        const same = known.find(
          ({ entries }) =>
            entries.length === children.length && children.every((child, k) => entries[k] === child),
        );
        return same ?? interiorOf(children);
      });
      interiors.push(...level);
    }
    this.#interiors = interiors;
    return level[0];
  }

  /** Writes a node and what is new below it. @param prefix The prefix of all its keys, which its parent states. */
  #store(node: TreeNode, prefix: string, file: DataFile): NonNullable<TreeNode['stored']> {
    if (node.stored?.prefix === prefix) return node.stored;
    const { compression } = this.#options;
    const counts = { keys: 0, treeBytes: 0, valueBytes: 0 };
    let bytes: Uint8Array;
    if (node.height === 0) {
      const entries = node.entries as readonly LeafEntry[];
      bytes = encodeLeaf(entries, prefix, compression);
      counts.keys = entries.length;
      for (const { value } of entries) if (!(value instanceof Uint8Array)) counts.valueBytes += value.length;
    } else {
      const children = (node.entries as readonly TreeNode[]).map((child): NodeReference => {
        const own = commonPrefix(child.firstKey, child.lastKey),
          stored = this.#store(child, own, file);
        return { ...stored.range, ...stored.counts, firstKey: child.firstKey, prefix: own };
      });
      bytes = encodeInterior(children, { prefix, height: node.height }, compression);
      for (const field of ['keys', 'treeBytes', 'valueBytes'] as const)
        for (const child of children) counts[field] += child[field];
    }
    counts.treeBytes += bytes.length;
    const stored = { range: file.add(bytes), prefix, counts };
    node.stored ??= stored; // a root that became a child is written once more
    return stored;
  }

  /**
   * The newest versions are in the manifest, older ones in version nodes below it. Source: TensorStore,
   * format/manifest.cc, ForEachManifestVersionTreeNodeRef.
   */
  #manifest(file: DataFile): Uint8Array {
    const arity = 2 ** this.#config.versionTreeArityLog2,
      nodes: VersionNodeEntry[] = [];
    let last = Math.floor((this.generation - 1) / arity) * arity;
    const inline = this.#versions.slice(last);
    for (let height = 1; last > 0; height++) {
      const before = Math.floor((last - 1) / arity ** (height + 1)) * arity ** (height + 1);
      nodes.unshift(this.#versionNode(before + 1, last, height, file));
      last = before;
    }
    return encodeManifest(this.#config, inline, nodes);
  }

  /** Writes the version node of generations `first` to `last`, unless it is stored. */
  #versionNode(first: number, last: number, height: number, file: DataFile): VersionNodeEntry {
    const name = `${first}-${last}-${height}`,
      known = this.#versionNodes.get(name);
    if (known) return known;
    const versions = this.#versions.slice(first - 1, last),
      below = 2 ** (this.#config.versionTreeArityLog2 * height);
    const bytes = encodeVersionNode(
      height === 0
        ? { versions }
        : {
            height,
            nodes: Array.from({ length: Math.ceil((last - first + 1) / below) }, (_, k) =>
              this.#versionNode(
                first + k * below,
                Math.min(last, first + (k + 1) * below - 1),
                height - 1,
                file,
              ),
            ),
          },
      this.#config,
    );
    const node = {
      ...file.add(bytes),
      generation: last,
      generations: versions.length,
      commitMs: versions[0].commitMs,
      height,
    };
    this.#versionNodes.set(name, node);
    return node;
  }

  #hexName(): string {
    return Array.from({ length: 32 }, () => Math.floor(16 * this.#random()).toString(16)).join('');
  }
}

/** A data file that is being written. */
class DataFile {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(readonly path: string) {}

  add(bytes: Uint8Array): DataRange {
    const range = { path: this.path, offset: this.#length, length: bytes.length };
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return range;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

const leafOf = (entries: readonly LeafEntry[]): TreeNode => ({
  height: 0,
  entries,
  firstKey: entries[0]?.key ?? '',
  lastKey: entries.at(-1)?.key ?? '',
});

const interiorOf = (children: readonly TreeNode[]): TreeNode => ({
  height: children[0].height + 1,
  entries: children,
  firstKey: children[0].firstKey,
  lastKey: children.at(-1)!.lastKey,
});

/** Cuts a list into lists of at most `most` entries, as even as possible. */
function inGroups<T>(list: readonly T[], most: number): T[][] {
  const count = Math.ceil(list.length / most);
  return Array.from({ length: count }, (_, k) =>
    list.slice(Math.floor((k * list.length) / count), Math.floor(((k + 1) * list.length) / count)),
  );
}
