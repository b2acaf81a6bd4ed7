/**
 * Reads the nodes of the tree of versions, and finds versions in them. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst, "Version tree node format", and format/version_tree.cc.
 */
import type { DecodeError } from '../../base/errors.ts';
import { readDataFiles, readOptionalRefs, readRefs, type DataFile, type DataRef } from './data-files.ts';
import { WireReader } from './wire.ts';

/** One version of the database. */
export interface Version {
  /** The number of the commit, from 1. */
  readonly generation: number;
  /** The time of the commit, in ns since 1970. */
  readonly commitTimeNs: bigint;
  /** The root of its B+tree; undefined if it is empty. */
  readonly root: DataRef | undefined;
  readonly rootHeight: number;
}

/** A reference to a node of the version tree. */
export interface VersionNodeRef {
  readonly location: DataRef;
  /** The last generation in it. */
  readonly generation: number;
  /** The commit time of the first version in it, in ns since 1970. */
  readonly commitTimeNs: bigint;
  readonly height: number;
}

/** A node of the version tree: a leaf has versions, another node has references to nodes. */
export interface VersionNode {
  readonly arityLog2: number;
  readonly height: number;
  readonly versions: readonly Version[];
  readonly nodes: readonly VersionNodeRef[];
}

/** Which version is wanted: a generation, or the last version committed at or before a time (ns). */
export type VersionSpec = { generation: number } | { commitTimeNs: bigint };

const MAX_ARITY_LOG2 = 16;
/** The height of the highest node that a tree of this arity can have. */
export const maxHeight = (arityLog2: number): number => Math.floor(63 / arityLog2) - 1;

/** Reads the binary logarithm of the tree's arity. */
export function readArityLog2(reader: WireReader): number {
  const arityLog2 = reader.uint8();
  if (arityLog2 < 1 || arityLog2 > MAX_ARITY_LOG2)
    throw reader.error(`the arity of its version tree is 2^${arityLog2}`);
  return arityLog2;
}

/** The first generation of the node of this height that holds `generation`. */
export const firstGeneration = (arityLog2: number, height: number, generation: number): number =>
  generation - ((generation - 1) % 2 ** (arityLog2 * (height + 1)));

/** Reads versions: the content of a leaf, or those in the manifest. */
export function readVersions(reader: WireReader, arityLog2: number, files: readonly DataFile[]): Version[] {
  const count = reader.count('the number of versions');
  if (count === 0) throw reader.error('has no versions');
  reader.checkEntries(count, 2 ** arityLog2, 16);
  const generations = readGenerations(reader, count),
    heights = Array.from({ length: count }, () => reader.uint8()),
    roots = readOptionalRefs(reader, count, files);
  reader.skipVarints(3 * count); // statistics
  const versions = roots.map((root, k): Version => {
    if (!root && heights[k] !== 0) throw reader.error(`the empty version ${generations[k]} has a height`);
    return { generation: generations[k], rootHeight: heights[k], root, commitTimeNs: reader.uint64() };
  });
  const last = generations[count - 1];
  if (generations[0] < firstGeneration(arityLog2, 0, last))
    throw reader.error(`versions ${generations[0]} and ${last} cannot be in one leaf`);
  return versions;
}

/** Reads ascending generation numbers. */
function readGenerations(reader: WireReader, count: number): Float64Array {
  const generations = reader.counts(count, 'a generation');
  for (let k = 0; k < count; k++)
    if (generations[k] <= (k === 0 ? 0 : generations[k - 1]))
      throw reader.error(`generation ${generations[k]} is not larger than the one before it`);
  return generations;
}

/**
 * Reads references to nodes.
 * @param height The height of the nodes; undefined in the manifest, where each reference has its own.
 */
export function readNodeRefs(
  reader: WireReader,
  most: number,
  files: readonly DataFile[],
  height: number | undefined,
): VersionNodeRef[] {
  const count = reader.count('the number of version nodes');
  reader.checkEntries(count, most, 13);
  const generations = readGenerations(reader, count),
    { fileIndices, offsets, lengths } = readRefs(reader, count, files),
    sizes = reader.counts(count, 'a number of versions');
  const times = Array.from({ length: count }, () => reader.uint64());
  return times.map((commitTimeNs, k) => {
    const nodeHeight = height ?? reader.uint8();
    if (sizes[k] > generations[k])
      throw reader.error(`the version node of generation ${generations[k]} claims ${sizes[k]} versions`);
    return {
      location: { file: files[fileIndices[k]], offset: offsets[k], length: lengths[k] },
      generation: generations[k],
      commitTimeNs,
      height: nodeHeight,
    };
  });
}

/**
 * Reads a node of the version tree.
 * @param content The content of the envelope, decompressed.
 * @param basePath The `basePath` of the file that holds the node.
 * @throws DecodeError
 */
export function decodeVersionNode(content: Uint8Array, basePath: string): VersionNode {
  const reader = new WireReader(content, 'version node');
  const arityLog2 = readArityLog2(reader),
    height = reader.uint8();
  const files = readDataFiles(reader, basePath);
  if (height === 0) {
    const versions = readVersions(reader, arityLog2, files);
    reader.end();
    return { arityLog2, height, versions, nodes: [] };
  }
  if (height > maxHeight(arityLog2)) throw reader.error(`the height ${height} is not possible`);
  const nodes = readNodeRefs(reader, 2 ** arityLog2, files, height - 1);
  reader.end();
  checkNodes(reader, arityLog2, height, nodes);
  return { arityLog2, height, versions: [], nodes };
}

/** Checks that the children of a node are full, and different children of this node. */
function checkNodes(
  reader: WireReader,
  arityLog2: number,
  height: number,
  nodes: readonly VersionNodeRef[],
): void {
  if (nodes.length === 0) throw reader.error('has no entries');
  const stride = 2 ** (arityLog2 * height);
  for (const [k, { generation }] of nodes.entries())
    if (generation % stride !== 0 || (k > 0 && generation - stride < nodes[k - 1].generation))
      throw reader.error(`generation ${generation} cannot end a node of height ${height - 1} there`);
  const parent = stride * 2 ** arityLog2,
    numberOf = ({ generation }: VersionNodeRef): number => Math.floor((generation - 1) / parent);
  if (numberOf(nodes[0]) !== numberOf(nodes[nodes.length - 1]))
    throw reader.error('its entries belong to different nodes');
}

/** Checks that a node is the one that a reference names. @throws DecodeError BAD_HEADER. */
export function checkVersionNode(
  node: VersionNode,
  { height, generation }: VersionNodeRef,
  arityLog2: number,
  error: (message: string) => DecodeError,
): void {
  const last = (node.versions.at(-1) ?? node.nodes.at(-1))!.generation;
  if (node.height !== height) throw error(`has the height ${node.height}, not ${height}`);
  if (node.arityLog2 !== arityLog2)
    throw error(`has the arity 2^${node.arityLog2}, but that of the database is 2^${arityLog2}`);
  if (last !== generation) throw error(`ends with generation ${last}, not ${generation}`);
}

/** Finds a version among ascending ones. */
export function findVersion(versions: readonly Version[], wanted: VersionSpec): Version | undefined {
  if ('generation' in wanted) return versions.find(({ generation }) => generation === wanted.generation);
  return versions.findLast(({ commitTimeNs }) => commitTimeNs <= wanted.commitTimeNs);
}

/** Finds the node that may hold a version, among ascending ones. */
export function findVersionNode(
  nodes: readonly VersionNodeRef[],
  arityLog2: number,
  wanted: VersionSpec,
): VersionNodeRef | undefined {
  if (!('generation' in wanted))
    return nodes.findLast(({ commitTimeNs }) => commitTimeNs <= wanted.commitTimeNs);
  const node = nodes.find(({ generation }) => generation >= wanted.generation);
  return node && firstGeneration(arityLog2, node.height, node.generation) <= wanted.generation
    ? node
    : undefined;
}
