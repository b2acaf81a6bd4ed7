/** Creates a graphene volume: connects the graph client and the root cache. Loaded when a graph is opened. */
import { retryObserver } from '../base/volume-events.ts';
import { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import { createRootHistory } from '../chunkedgraph/root-cache/server-history.ts';
import { StaleCheck } from '../chunkedgraph/root-cache/stale-check.ts';
import { WindowClock } from '../chunkedgraph/roots/window-clock.ts';
import { RootBatcher } from '../chunkedgraph/roots/root-batcher.ts';
import { ChunkedGraphClient } from '../chunkedgraph/server/chunkedgraph-client.ts';
import { observeClient } from '../chunkedgraph/server/observe-client.ts';
import { createParts, type VolumeSetup } from './create-volume.ts';
import { createVolumeDatastack } from './volume-datastack.ts';
import { GrapheneVolume } from './graphene-volume.ts';
import type { OpenGrapheneOptions } from './option-types.ts';
import type { ResolvedGraph } from './resolve/resolve-graph.ts';
import { VersionedVoxels } from './versioned-voxels.ts';
import { openRootCache } from './volume-root-cache.ts';

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
  return new GrapheneVolume({
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
    timestamp: description.timestamp ?? undefined,
  });
}
