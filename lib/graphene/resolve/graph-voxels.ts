/**
 * Opens the voxels of a graph whose supervoxels can split. The server names an OCDBT database, which has the
 * voxels of every version: as a TensorStore spec of the graph's own fork, or on earlier servers as a path below
 * the watershed. Source: PyChunkedGraph, branch pcgv3, graph/meta.py `dataset_info` and graph/ocdbt.py.
 */
import { InfoError, PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseJson } from '../../http/json.ts';
import type { GraphInfo } from '../../chunkedgraph/ids/graph-info.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { isOcdbtStore, type OcdbtStore } from '../../ocdbt/ocdbt-store.ts';
import { parseInfo, type Scale, type VolumeInfo } from '../../precomputed/volume-info.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import type { Store } from '../../storage/store.ts';
import { toOcdbtVersion, type VoxelsAt } from '../voxels-at.ts';
import { plainPathsOf, type KvNode, type OcdbtNode } from './kv-node.ts';
import { parseKvStore } from './kvstore-spec.ts';
import { openKvStore } from './open-kvstore.ts';
import { openBucket, type BucketLocation } from './open-bucket.ts';
import { acceptNamedBucket, quotePath, type NamingContext } from './server-named-bucket.ts';

/** The opened voxels of a graph. */
export interface GraphVoxels {
  /** The version that is read at first. */
  store: OcdbtStore;
  /** The volume of the graph. Scales that are in the database have the grid and encoding that it states. */
  info: VolumeInfo;
  /** The mips of the scales that are in the database. */
  mips: ReadonlySet<number>;
  /** Where the database is. */
  location: BucketLocation;
}

/** What is needed to open the voxels. */
export interface GraphVoxelsContext {
  /** The graph and its volume, as its info describes them. */
  graph: GraphInfo;
  info: VolumeInfo;
  infoUrl: string;
  /** What the server may name. */
  naming: Omit<NamingContext, 'claim' | 'advice'>;
  http: HttpClient;
  keys: { storage?: StorageOptions; graphToken: string | undefined; logger: Logger };
  voxelsAt: VoxelsAt | undefined;
  signal?: AbortSignal;
}

/**
 * Opens the voxels that the info names.
 * @throws InfoError UNSUPPORTED for a spec that cannot be read or names no place, NOT_FOUND and BAD_INFO of the
 *   database, as `openOcdbt`; PathError as `acceptNamedBucket`; RequestError; `signal.reason`.
 */
export async function openGraphVoxels(context: GraphVoxelsContext): Promise<GraphVoxels> {
  const { graph, info, infoUrl, voxelsAt, signal, naming, http, keys } = context,
    node = parseSpec(graph.ocdbtSpec ?? specOfPath(graph, infoUrl), infoUrl);
  const version = voxelsAt === undefined || voxelsAt === 'latest' ? node.version : toOcdbtVersion(voxelsAt);
  const locate = (place: string): BucketLocation =>
    acceptNamedBucket(
      place,
      {
        ...naming,
        claim: `${quotePath(place)} of the voxels in OCDBT came from ${naming.origin}`,
        advice: "open the unsplit watershed with ocdbt: 'ignore' and dataDir",
      },
      keys.storage,
    );
  const location = locate(plainPathsOf(node)[0]),
    open = async (place: string): Promise<Store> => openBucket(locate(place), http, keys),
    store = await openKvStore({ ...node, version }, { open, signal });
  if (!isOcdbtStore(store)) throw unreadable(infoUrl, 'graph.ocdbt_kvstore_spec names no database');
  return { store, ...(await readScales(store, info, infoUrl, signal)), location };
}

/** Reads the spec. @throws InfoError UNSUPPORTED. */
function parseSpec(spec: unknown, infoUrl: string): OcdbtNode {
  let node: KvNode;
  try {
    node = parseKvStore(spec);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw unreadable(infoUrl, `graph.ocdbt_kvstore_spec cannot be read: ${error.message}`);
  }
  if (node.kind !== 'ocdbt') throw unreadable(infoUrl, 'graph.ocdbt_kvstore_spec names no database');
  return node;
}

/** Servers before the forks name a folder below the watershed. */
function specOfPath({ dataDir, ocdbtPath }: GraphInfo, infoUrl: string): unknown {
  if (dataDir === undefined || ocdbtPath === undefined)
    throw unreadable(infoUrl, 'it has neither graph.ocdbt_kvstore_spec nor graph.ocdbt_path');
  if (ocdbtPath.includes('://') || ocdbtPath.split('/').includes('..'))
    throw unreadable(infoUrl, `graph.ocdbt_path ${JSON.stringify(ocdbtPath)} is not a folder below data_dir`);
  return { driver: 'ocdbt', base: `${dataDir.replace(/\/+$/, '')}/${ocdbtPath.replace(/^\/+|\/+$/g, '')}/` };
}

/** Reads which scales are in the database. They have the resolutions of the volume's scales. */
async function readScales(
  store: OcdbtStore,
  info: VolumeInfo,
  infoUrl: string,
  signal: AbortSignal | undefined,
): Promise<{ info: VolumeInfo; mips: Set<number> }> {
  const found = await store.read('info', { signal });
  if (!found)
    throw new InfoError('NOT_FOUND', `${store.url} has no info: the graph at ${infoUrl} names it`, store.url);
  const own = parseInfo(parseJson(found.bytes), store.url);
  if (own.dataType !== info.dataType || own.type !== info.type || own.numChannels !== info.numChannels)
    throw new InfoError(
      'BAD_INFO',
      `${store.url} holds ${own.type} of ${own.numChannels} x ${own.dataType}, and not the supervoxels of the graph at ${infoUrl}`,
      store.url,
    );
  const mips = new Set<number>();
  const scales = info.scales.map((scale): Scale => {
    const stored = own.scales.find((other) => isSameGrid(other, scale));
    if (!stored) return scale;
    mips.add(scale.mip);
    return { ...stored, mip: scale.mip };
  });
  return { info: { ...info, scales }, mips };
}

const isSameGrid = (a: Scale, b: Scale): boolean =>
  (['resolution', 'size', 'voxelOffset'] as const).every((member) =>
    a[member].every((value, axis) => value === b[member][axis]),
  );

const unreadable = (infoUrl: string, why: string): InfoError =>
  new InfoError(
    'UNSUPPORTED',
    `info at ${infoUrl} has ocdbt_seg: supervoxels of this graph can split, and its voxels are in OCDBT, but ${why}. ocdbt: 'ignore' (--ocdbt ignore) opens the graph with its unsplit watershed; supervoxels that did split are then stale`,
    infoUrl,
  );
