/** Creates a graphene volume: connects the graph client and the root cache. Loaded when a graph is opened. */
import { onAbort } from '../base/abort.ts';
import { PathError, VolumeClosedError } from '../base/errors.ts';
import { RootCache } from '../chunkedgraph/root-cache/root-cache.ts';
import { WindowClock } from '../chunkedgraph/roots/window-clock.ts';
import { mayReceiveToken } from '../chunkedgraph/server/token.ts';
import { connectGraph, type TokenViewOptions } from './connect-graph.ts';
import { createParts, type VolumeSetup } from './create-volume.ts';
import { createVolumeDatastack } from './volume-datastack.ts';
import { GrapheneVolume, type GrapheneParts } from './graphene-volume.ts';
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
    { path } = server;
  const { parts, createReader } = await createParts(
      { description, info, store, infoWasRead: false, mip: graph.cvMip },
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
  const createDatastack = (signal: AbortSignal): GrapheneParts['datastack'] =>
    description.datastack && materializations
      ? createVolumeDatastack(description.datastack, materializations, signal)
      : undefined;
  const windowClock = new WindowClock(server.clock, {
    settleMs: options.settleMs,
    windowMs: options.batchWindowMs,
  });
  // Servers of graphs whose supervoxels can split exclude the timestamp itself, so this is not found out first.
  if (graph.ocdbt) server.includesTimestamp = false;
  const connecting = { graph, windowClock, options, logger, observe };
  const { roots, api, cacheParts } = connectGraph({ ...connecting, server, life });
  const cacheOptions = options.rootCache === true ? {} : options.rootCache || undefined;
  const rootCache = cacheOptions && (await openRootCache(cacheOptions, cacheParts, logger, options.cacheDir));
  const own: GrapheneParts = {
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
    datastack: createDatastack(life),
    timestamp: description.timestamp ?? undefined,
    createView: (token, viewOptions) => createView(token, viewOptions),
  };

  /** A view has a root cache only if the volume has one: in memory, with no file. */
  function createView(token: string, { from, rootCacheEntries }: TokenViewOptions): GrapheneVolume {
    life.throwIfAborted();
    if (!mayReceiveToken(path))
      throw new PathError(
        'INSECURE_TOKEN',
        `a token is sent over TLS or to loopback only, and ${path.origin} is neither`,
      );
    const viewLife = new AbortController(),
      release = onAbort(life, () => viewLife.abort(new VolumeClosedError()));
    const view = connectGraph({
      ...connecting,
      server: server.withToken({ token, from, isGuest: true }),
      life: viewLife.signal,
    });
    return new GrapheneVolume({
      ...own,
      life: viewLife,
      release: async () => release(),
      roots: view.roots,
      api: view.api,
      rootCache: cacheOptions && {
        cache: new RootCache(view.cacheParts, { ...cacheOptions, maxEntries: rootCacheEntries }),
        saveToFile: async () => undefined,
      },
      allowEdits: false,
      datastack: createDatastack(viewLife.signal),
    });
  }
  return new GrapheneVolume(own);
}
