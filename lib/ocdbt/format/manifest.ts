/**
 * Reads a manifest: the configuration of a database, and its newest versions. Pure.
 * Source: TensorStore, kvstore/ocdbt/index.rst, "Manifest format", and format/manifest.cc.
 */
import { readDataFiles } from './data-files.ts';
import {
  maxHeight,
  readArityLog2,
  readNodeRefs,
  readVersions,
  type Version,
  type VersionNodeRef,
} from './version-tree.ts';
import { WireReader } from './wire.ts';

/** The configuration of a database. */
export interface DatabaseConfig {
  /** 32 hexadecimal digits. */
  readonly uuid: string;
  /** Whether the versions are in numbered manifests, one for each commit. */
  readonly isNumbered: boolean;
  /** Most bytes of a decoded B+tree node. */
  readonly maxNodeBytes: number;
  /** The binary logarithm of the version tree's arity. */
  readonly arityLog2: number;
}

/** A manifest. */
export interface Manifest {
  readonly config: DatabaseConfig;
  /** The newest versions, ascending; none if the manifest has only the configuration. */
  readonly versions: readonly Version[];
  /** Nodes of older versions, the oldest first. */
  readonly nodes: readonly VersionNodeRef[];
}

/** The key of the manifest. */
export const MANIFEST_KEY = 'manifest.ocdbt';

/** The key of the manifest of one commit. */
export const numberedManifestKey = (generation: number): string =>
  `manifest.${generation.toString(16).padStart(16, '0')}`;

/** Returns the generation of the key of a numbered manifest; undefined for another key. */
export function numberedGeneration(key: string): number | undefined {
  const digits = /^manifest\.([\da-f]{16})$/.exec(key)?.[1];
  const generation = digits === undefined ? 0 : parseInt(digits, 16);
  return generation > 0 && Number.isSafeInteger(generation) ? generation : undefined;
}

const MAX_ZSTD_LEVEL = 22,
  MIN_ZSTD_LEVEL = -131_072;

/**
 * Reads a manifest.
 * @param content The content of the envelope, decompressed.
 * @throws DecodeError
 */
export function decodeManifest(content: Uint8Array): Manifest {
  const reader = new WireReader(content, 'manifest');
  const config = readConfig(reader);
  if (config.isNumbered) {
    reader.end();
    return { config, versions: [], nodes: [] };
  }
  const { arityLog2 } = config,
    files = readDataFiles(reader, ''),
    versions = readVersions(reader, arityLog2, files),
    nodes = readNodeRefs(reader, maxHeight(arityLog2), files, undefined);
  reader.end();
  checkNodes(reader, arityLog2, versions[versions.length - 1].generation, nodes);
  return { config, versions, nodes };
}

function readConfig(reader: WireReader): DatabaseConfig {
  const uuid = Array.from(reader.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    kind = reader.uint8();
  if (kind > 1) throw reader.error(`has the kind ${kind}; known are 0 (single) and 1 (numbered)`);
  reader.varint(32); // the longest value in a node
  const maxNodeBytes = reader.varint(32),
    arityLog2 = readArityLog2(reader),
    compression = reader.varint(32);
  if (compression > 1)
    throw reader.error(`has compression ${compression}; known are 0 (none) and 1 (zstd)`, 'UNSUPPORTED');
  const level = compression === 1 ? reader.int32() : 0;
  if (level < MIN_ZSTD_LEVEL || level > MAX_ZSTD_LEVEL) throw reader.error(`has the zstd level ${level}`);
  return { uuid, isNumbered: kind === 1, maxNodeBytes, arityLog2 };
}

/** Checks the nodes: at most one of each height, higher ones first, and each where its height belongs. */
function checkNodes(
  reader: WireReader,
  arityLog2: number,
  latest: number,
  nodes: readonly VersionNodeRef[],
): void {
  for (const [k, { height }] of nodes.entries())
    if (height < 1 || height > maxHeight(arityLog2) || (k > 0 && height >= nodes[k - 1].height))
      throw reader.error(`version node ${k} has the height ${height}`);
  const roundDown = (generation: number, height: number): number =>
    generation - (generation % 2 ** (arityLog2 * height));
  let left = nodes.length,
    end = roundDown(latest - 1, 1);
  for (let height = 1; end > 0 && left > 0; height++) {
    const before = roundDown(end - 1, height + 1),
      node = nodes[left - 1];
    if (node.height === height) {
      if (node.generation <= before || node.generation > end)
        throw reader.error(`the version node of generation ${node.generation} has the height ${height}`);
      left--;
    }
    end = before;
  }
  if (left > 0) throw reader.error(`the version node of height ${nodes[left - 1].height} has no place`);
}
