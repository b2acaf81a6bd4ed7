/**
 * Opens the voxels of a graph whose supervoxels can split. The server names an OCDBT database, which has the
 * voxels of every version: as a TensorStore spec of the graph's own fork, or on earlier servers as a path below
 * the watershed. Sources: PyChunkedGraph, branch pcgv3, graph/meta.py `dataset_info` and graph/ocdbt.py;
 * TensorStore, kvstore/ocdbt/schema.yml and kvstore/kvstack/schema.yml.
 */
import * as z from 'zod';
import { InfoError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseJson } from '../../http/json.ts';
import type { GraphInfo } from '../../chunkedgraph/ids/graph-info.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { openOcdbt, type OcdbtStore } from '../../ocdbt/ocdbt-store.ts';
import { firstIssue } from '../../precomputed/first-issue.ts';
import { parseInfo, type Scale, type VolumeInfo } from '../../precomputed/volume-info.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { KvStackStore, type KvStackLayer } from '../../storage/kvstack.ts';
import type { Store } from '../../storage/store.ts';
import { toOcdbtVersion, type VoxelsAt } from '../voxels-at.ts';
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

const layer = z.looseObject({
  base: z.string(),
  exact: z.string().optional(),
  prefix: z.string().optional(),
  inclusive_min: z.string().optional(),
  exclusive_max: z.string().optional(),
  strip_prefix: z.int().nonnegative().optional(),
});
/** The specs that servers give. Members that only matter for writing may be there, too. */
const spec = z.looseObject({
  driver: z.literal('ocdbt'),
  base: z.union([
    z.string(),
    z.looseObject({
      driver: z.literal('kvstack'),
      layers: z.array(layer).min(1).max(1000),
      path: z.undefined().optional(),
    }),
  ]),
  path: z.string().optional(),
  manifest: z.undefined().optional(),
  version: z.union([z.int().positive(), z.string()]).optional(),
});

/**
 * Opens the voxels that the info names.
 * @throws InfoError UNSUPPORTED for a spec that cannot be read or names no place, NOT_FOUND and BAD_INFO of the
 *   database, as `openOcdbt`; PathError as `acceptNamedBucket`; RequestError; `signal.reason`.
 */
export async function openGraphVoxels(context: GraphVoxelsContext): Promise<GraphVoxels> {
  const { graph, info, infoUrl, voxelsAt, signal } = context,
    parsed = spec.safeParse(graph.ocdbtSpec ?? specOfPath(graph, infoUrl));
  if (!parsed.success)
    throw unreadable(infoUrl, `graph.ocdbt_kvstore_spec cannot be read: ${firstIssue(parsed.error)}`);
  const { base, path = '', version: named } = parsed.data,
    layers = typeof base === 'string' ? [{ base }] : base.layers;
  const opened = await Promise.all(layers.map((own) => openLayer(own, context)));
  const stack = opened.map(({ store }) => store),
    data = typeof base === 'string' && stack[0].base === '' ? stack[0].store : new KvStackStore(stack);
  const version = voxelsAt === undefined || voxelsAt === 'latest' ? named : toOcdbtVersion(voxelsAt),
    store = await openOcdbt(data, { version, path: path.replace(/^\/+|\/+$/g, ''), signal });
  return { store, ...(await readScales(store, info, infoUrl, signal)), location: opened[0].location };
}

/** Servers before the forks name a folder below the watershed. */
function specOfPath({ dataDir, ocdbtPath }: GraphInfo, infoUrl: string): unknown {
  if (dataDir === undefined || ocdbtPath === undefined)
    throw unreadable(infoUrl, 'it has neither graph.ocdbt_kvstore_spec nor graph.ocdbt_path');
  if (ocdbtPath.includes('://') || ocdbtPath.split('/').includes('..'))
    throw unreadable(infoUrl, `graph.ocdbt_path ${JSON.stringify(ocdbtPath)} is not a folder below data_dir`);
  return { driver: 'ocdbt', base: `${dataDir.replace(/\/+$/, '')}/${ocdbtPath.replace(/^\/+|\/+$/g, '')}/` };
}

/** Opens a layer. What stands after the last slash of its base begins the names of its files. */
async function openLayer(
  { base, exact, prefix, inclusive_min: min, exclusive_max: max, strip_prefix: strip }: z.infer<typeof layer>,
  { naming, http, keys }: GraphVoxelsContext,
): Promise<{ store: KvStackLayer; location: BucketLocation }> {
  const slash = base.lastIndexOf('/'),
    folder = base.slice(0, slash);
  const location = acceptNamedBucket(
    folder,
    {
      ...naming,
      claim: `${quotePath(base)} in graph.ocdbt_kvstore_spec came from ${naming.origin}`,
      advice: "open the unsplit watershed with ocdbt: 'ignore' and dataDir",
    },
    keys.storage,
  );
  const store: Store = await openBucket(location, http, keys);
  return {
    store: {
      store,
      base: base.slice(slash + 1),
      exact,
      prefix,
      inclusiveMin: min,
      exclusiveMax: max,
      stripPrefix: strip,
    },
    location,
  };
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
