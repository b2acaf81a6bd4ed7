/**
 * Creates a volume from its resolved description: loads the decoders, and connects the reader, the caches and
 * the graph client. Sends no request, and reads no file except that of a root cache.
 */
import type { Logger } from '../base/logger.ts';
import { retryObserver, type Observer } from '../base/volume-events.ts';
import { redactSecretsIn } from '../base/secret-redaction.ts';
import { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import { createRootHistory } from '../chunkedgraph/root-cache/server-history.ts';
import { StaleCheck } from '../chunkedgraph/root-cache/stale-check.ts';
import { WindowClock } from '../chunkedgraph/roots/window-clock.ts';
import { RootBatcher } from '../chunkedgraph/roots/root-batcher.ts';
import { ChunkedGraphClient } from '../chunkedgraph/server/chunkedgraph-client.ts';
import { observeClient } from '../chunkedgraph/server/observe-client.ts';
import type { HttpClient } from '../http/http-request.ts';
import { PointReader } from '../points/point-reader.ts';
import type { VolumeInfo } from '../precomputed/volume-info.ts';
import { isStore, type Store } from '../storage/store.ts';
import { canUseWorkers } from '../workers/create-worker-pool.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import { openChunkCache } from './open-chunk-cache.ts';
import { createVolumeDatastack } from './volume-datastack.ts';
import { GrapheneVolume } from './graphene-volume.ts';
import { loadDecoders } from './load-decoders.ts';
import type { OpenGrapheneOptions, OpenOptions } from './option-types.ts';
import { PrecomputedVolume, type VolumeParts } from './precomputed-volume.ts';
import type { VolumeDescription } from './resolve/description.ts';
import { chooseMip } from './resolve/mip.ts';
import type { ResolvedGraph } from './resolve/resolve-graph.ts';
import type { ResolvedPrecomputed } from './resolve/resolve-precomputed.ts';
import { VersionedVoxels } from './versioned-voxels.ts';
import { openRootCache } from './volume-root-cache.ts';

/** What a volume is created with, besides its description. */
interface VolumeSetup<Options> {
  options: Options;
  http: HttpClient;
  logger: Logger;
  observe: Observer | undefined;
  threads: WorkerPool | undefined;
}

/** Creates a Precomputed volume. */
export async function createPrecomputedVolume(
  resolved: ResolvedPrecomputed,
  setup: VolumeSetup<Omit<OpenOptions, 'resolution'>>,
): Promise<PrecomputedVolume> {
  return new PrecomputedVolume((await createParts({ ...resolved, mip: 0 }, setup)).parts);
}

/** Creates a graphene volume. @throws SnapshotError for `rootCache.file`. */
export async function createGrapheneVolume(
  { description, graph, info, server, materializations, store, voxels }: ResolvedGraph,
  setup: VolumeSetup<OpenGrapheneOptions>,
): Promise<GrapheneVolume> {
  const { options, logger, observe } = setup,
    { path } = server,
    { settleMs, batchWindowMs, rootTimeoutMs, rootConcurrency, retries } = options,
    { ids, nLayers, cvMip } = graph;
  const { parts, createReader } = await createParts(
      { description, info, store, infoWasRead: false, mip: cvMip },
      setup,
    ),
    life = parts.life.signal;
  const splitVoxels =
    voxels &&
    new VersionedVoxels({
      ...voxels,
      isPinned: options.voxelsAt !== undefined && options.voxelsAt !== 'latest',
      reader: parts.reader,
      createReader,
      life,
    });
  const datastack =
    description.datastack && materializations
      ? createVolumeDatastack(description.datastack, materializations, life)
      : undefined;
  const windowClock = new WindowClock(server.clock, { settleMs, windowMs: batchWindowMs });
  const onRetry = observe && retryObserver(path.host, observe),
    client = new ChunkedGraphClient({ server, rootTimeoutMs });
  // Servers of graphs whose supervoxels can split exclude the timestamp itself, so this is not found out first.
  if (graph.ocdbt) server.includesTimestamp = false;
  const batcher = new RootBatcher({
    client: observe ? observeClient(client, observe) : client,
    observe,
    ids,
    nLayers,
    host: path.host,
    pace: options.pace,
    windowClock,
    warn: (message) => logger.warn(message),
    batchSize: options.rootBatchSize,
    batchBytes: options.rootBatchBytes,
    concurrency: rootConcurrency,
    windowMs: batchWindowMs,
    retries,
    onRetry,
  });
  const api = new Endpoints({
    server,
    closeSignal: life,
    concurrency: rootConcurrency,
    timeoutMs: rootTimeoutMs,
    retries,
    onRetry,
  });
  const roots = new StaleCheck({ source: batcher, ids, nLayers, windowClock, supervoxelsSplit: graph.ocdbt });
  const cacheOptions = options.rootCache === true ? {} : options.rootCache || undefined,
    history = createRootHistory(batcher, api);
  const rootCache =
    cacheOptions &&
    (await openRootCache(
      cacheOptions,
      {
        source: roots,
        history,
        graph: graph.ocdbt ? `${path.tableUrl}#supervoxels-split` : path.tableUrl,
        ids,
        nLayers,
        windowClock,
        supervoxelsSplit: graph.ocdbt,
      },
      logger,
      options.cacheDir,
    ));
  return new GrapheneVolume(
    {
      ...parts,
      graph,
      path,
      roots,
      rootCache,
      windowClock,
      splitVoxels,
      release: async () => {
        await splitVoxels?.whenSaved(); // the threads write to the disk cache
        await parts.release();
      },
      api,
      allowEdits: options.allowEdits ?? false,
      checkSupervoxels: options.checkSupervoxels ?? true,
      datastack,
    },
    description.timestamp ?? undefined,
  );
}

/** What was resolved of a volume. */
interface ResolvedVolume {
  description: VolumeDescription;
  info: VolumeInfo;
  store: Store;
  infoWasRead: boolean;
  /** Scale to read, unless the options name one. */
  mip: number;
}

async function createParts(
  { description, info: resolvedInfo, store, infoWasRead, mip }: ResolvedVolume,
  { options, http, logger, observe, threads }: VolumeSetup<Omit<OpenOptions, 'resolution'>>,
): Promise<{ parts: VolumeParts; createReader: (store: Store) => PointReader }> {
  const { info: raw, redirects } = description;
  const info = { ...resolvedInfo, scales: await loadDecoders(resolvedInfo.scales, store.url) };
  const createReader = (own: Store): PointReader =>
    new PointReader({
      info,
      store: own,
      infoWasRead,
      concurrency: options.concurrency,
      lruBytes: options.lruBytes,
      lruEncoding: options.lruEncoding,
      threads: canUseWorkers(own, isStore(options.storage)) ? threads : undefined,
      rangeReads: options.rangeReads,
      observe,
      warn: (message) => logger.warn(message),
      chunkCache: openChunkCache(options, own, raw, logger),
    });
  const reader = createReader(store);
  const parts: VolumeParts = {
    raw: redactSecretsIn(raw),
    info,
    redirects,
    mip: chooseMip(info, options.mip, mip),
    life: new AbortController(),
    reader,
    resolution: description.options.resolution,
    logger,
    timeoutMs: options.timeoutMs,
    release: async () => {
      http.close();
      await reader.whenSaved(); // the threads write to the disk cache
      await threads?.close();
    },
  };
  return { parts, createReader };
}
