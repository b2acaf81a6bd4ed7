/**
 * The public functions that open a volume, or resolve it to a description: openGraphene, openPrecomputed,
 * resolveVolume.
 */
import { leaveOnAbort } from '../base/abort.ts';
import { withDeadline } from '../base/deadline.ts';
import { PathError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { createObserver, type Observer } from '../base/volume-events.ts';
import { parseOptions } from '../base/option-table.ts';
import { safeText } from '../base/secret-redaction.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { createHttpClient } from '../failures/http-client.ts';
import type { HttpClient } from '../http/http-request.ts';
import { importPackage } from '../http/import-package.ts';
import { loadGot } from '../http/send-with-got.ts';
import type { VolumeInfo } from '../precomputed/volume-info.ts';
import type { Store } from '../storage/store.ts';
import { createWorkerPool } from '../workers/create-worker-pool.ts';
import { MOST_READS } from '../chunks/adaptive-limit.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import { createPrecomputedVolume } from './create-volume.ts';
import type { GrapheneVolume } from './graphene-volume.ts';
import type { OpenGrapheneOptions, OpenOptions } from './option-types.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from './opening-options.ts';
import type { PrecomputedVolume } from './precomputed-volume.ts';
import { normalizeCloudPath, isGraphPath } from './resolve/cloud-path.ts';
import {
  checkNoSecret,
  isDescription,
  mergeDescribedOptions,
  parseDescription,
  type GrapheneDescription,
  type PrecomputedDescription,
  type VolumeDescription,
} from './resolve/description.ts';
import type { DatastackPath } from './resolve/volume-path.ts';
import { resolveResolution } from './resolution.ts';
import type { GraphVoxels } from './resolve/graph-voxels.ts';
import { isTensorStoreSpec, type TensorStoreSpec } from './resolve/kvstore-spec.ts';
import { reopenGraph } from './resolve/reopen-graph.ts';
import { parseGraphInput, resolveGraph, type ResolvedGraph } from './resolve/resolve-graph.ts';
import {
  parsePrecomputedPath,
  reopenPrecomputed,
  resolvePrecomputed,
  type ResolvedPrecomputed,
} from './resolve/resolve-precomputed.ts';

const CONSOLE: Logger = { warn: (message) => console.warn(`graphene-points: ${message}`) };
const createLogger = ({ logger = CONSOLE }: { logger?: Logger }): Logger => ({
  warn: (message) => logger.warn(safeText(message)),
});

const createVolumeObserver = (
  { onEvent }: Pick<OpenOptions, 'onEvent'>,
  logger: Logger,
): Observer | undefined => createObserver(onEvent, (message) => logger.warn(message));

type GraphCode = typeof import('./create-graphene-volume.ts');
let graphCode: Promise<GraphCode> | undefined;

/** Loads once what only graphs need: a quarter of the code. A failed load is retried at the next call. */
function loadGraphCode(): Promise<GraphCode> {
  graphCode ??= importPackage(() => import('./create-graphene-volume.ts'));
  graphCode.catch(() => (graphCode = undefined));
  return graphCode;
}

/** Checked options, and the function that resolves the volume with them. */
interface Opening<Resolved> {
  options: OpenGrapheneOptions;
  logger: Logger;
  observe: Observer | undefined;
  resolve: (http: HttpClient) => Promise<Resolved>;
}

/**
 * Opens a Precomputed volume. It reads the volume's info, and the infos of any redirects, and no chunk. With
 * a description it reads nothing.
 *
 * @param path A path `gs://`, `s3://`, `http(s)://`, `mem://`, `file://` or a plain path to a folder. A
 *   leading `precomputed://`, or Neuroglancer's `|neuroglancer-precomputed:` at the end, is optional. For a
 *   volume in an OCDBT database, `…|ocdbt:PATH`, `…|ocdbt:@v12/PATH`, or a TensorStore spec as an object or as
 *   its JSON text. Or a description from `resolveVolume`.
 * @param options Every option is optional.
 * @returns The volume. Close it after use.
 * @throws PathError; InfoError NOT_FOUND, BAD_INFO or UNSUPPORTED; RequestError; CredentialsError NOT_FOUND
 *   when the volume was resolved with credentials that are not given; RangeError or TypeError for an option
 *   that cannot be used; DeadlineError; `signal.reason`.
 * @example
 * await using volume = await openPrecomputed('gs://BUCKET/PATH');
 * const { values, status } = await volume.scatteredPoints([[100, 200, 30]]);
 */
export async function openPrecomputed(
  path: string | TensorStoreSpec | PrecomputedDescription,
  options: OpenOptions = {},
): Promise<PrecomputedVolume> {
  const opening = preparePrecomputed(path, options);
  return withHttp(opening, async (http, threads) =>
    createPrecomputedVolume(await opening.resolve(http), { ...opening, http, threads }),
  );
}

/**
 * Opens a chunkedgraph and its watershed. It reads the graph's info and no chunk. For a datastack, it first
 * reads the datastack's description from its info service.
 *
 * @param path A path `graphene://[middleauth+]https://HOST[:PORT]/segmentation/table/NAME`, or an older
 *   spelling of it; `cave://DATASTACK`, or the same as `{ datastack, server }`; or a description from
 *   `resolveVolume`.
 * @param options Every option is optional.
 * @returns The volume. Close it after use.
 * @throws PathError BAD_PATH, INSECURE_TOKEN, or FORBIDDEN_ADDRESS when a server names an address that it may
 *   not name; InfoError; GraphError; TimestampError; SnapshotError for `rootCache.file`; CredentialsError
 *   NOT_FOUND when the volume was resolved with a token or credentials that are not found here; RangeError or
 *   TypeError for an option that cannot be used; DeadlineError; `signal.reason`.
 * @example
 * await using volume = await openGraphene('cave://minnie65_public', { timestamp: 'mat_943' });
 * const rootId = await volume.rootAt([240640, 207872, 21360], { resolution: 'viewer' });
 */
export async function openGraphene(
  path: string | DatastackPath | GrapheneDescription,
  options: OpenGrapheneOptions = {},
): Promise<GrapheneVolume> {
  const opening = prepareGraphene(path, options);
  return withHttp(opening, async (http, threads) => {
    // Loads code while the servers answer. If the HTTP package fails to load, the first look-up loads it again.
    const loading = loadGraphCode(),
      prepared = Promise.allSettled([loading.then(loadGot)]);
    const resolved = await opening.resolve(http),
      { createGrapheneVolume } = await loading;
    const volume = await createGrapheneVolume(resolved, { ...opening, http, threads });
    await prepared;
    return volume;
  });
}

/**
 * Resolves a path to a description: the first half of opening a volume. It requests what the servers know and
 * reads no chunk. The description is plain JSON. `openGraphene` or `openPrecomputed` opens the volume from
 * it, in another thread or on another machine. It names tokens and credentials, and never contains them.
 *
 * @param path As for `openGraphene` or `openPrecomputed`, apart from a description.
 * @throws As `openGraphene` and `openPrecomputed`; PathError BAD_PATH when the path or the info contains a
 *   secret.
 * @example
 * const description = await resolveVolume('cave://minnie65_public', { timestamp: 'mat_943' });
 * await using volume = await openGraphene(JSON.parse(JSON.stringify(description)));
 */
export async function resolveVolume(
  path: string | DatastackPath | TensorStoreSpec,
  options: OpenGrapheneOptions = {},
): Promise<VolumeDescription> {
  const { description } = await findVolume(path, options);
  checkNoSecret(description);
  return description;
}

/** A resolved volume: its description, with the infos parsed. */
export interface FoundVolume {
  description: VolumeDescription;
  info: VolumeInfo;
  /** The store of its chunks. */
  store: Store;
  graph?: GraphInfo;
  /** The voxels of a graph whose supervoxels can split, unless they are ignored. */
  voxels?: Pick<GraphVoxels, 'store' | 'mips'>;
}

/** As resolveVolume, for use in this process only: a secret in the path stays in the description. */
export async function findVolume(
  path: string | DatastackPath | TensorStoreSpec,
  options: OpenGrapheneOptions = {},
): Promise<FoundVolume> {
  const place = isTensorStoreSpec(path) ? parsePrecomputedPath(path) : path,
    isGraph = typeof place !== 'string' || isGraphPath(normalizeCloudPath(place)),
    opening = isGraph ? prepareGraphene(place, options) : preparePrecomputed(place, options as OpenOptions);
  return withHttp(opening, async (http) => {
    const known: FoundVolume = await opening.resolve(http);
    http.close();
    return known;
  });
}

function preparePrecomputed(
  path: string | TensorStoreSpec | PrecomputedDescription,
  userOptions: OpenOptions,
): Opening<ResolvedPrecomputed> {
  if (isDescription(path)) {
    const description = parseDescriptionOfKind(path, 'precomputed');
    return prepareOpening(
      parseOptions(mergeDescribedOptions(description, userOptions), OPEN_OPTIONS),
      (options, http, logger) => reopenPrecomputed(description, options, http, logger),
    );
  }
  const place = parsePrecomputedPath(path),
    options = parseOptions(userOptions, OPEN_OPTIONS);
  resolveResolution(options.resolution, undefined);
  return prepareOpening(options, (_, http, logger) => resolvePrecomputed(place, options, http, logger));
}

function prepareGraphene(
  path: string | DatastackPath | GrapheneDescription,
  userOptions: OpenGrapheneOptions,
): Opening<ResolvedGraph> {
  if (isDescription(path)) {
    const description = parseDescriptionOfKind(path, 'graphene');
    return prepareOpening(
      parseOptions(mergeDescribedOptions(description, userOptions), GRAPHENE_OPTIONS),
      (options, http, logger) => reopenGraph(description, options, http, logger),
    );
  }
  const options = parseOptions(userOptions, GRAPHENE_OPTIONS),
    input = parseGraphInput(path, options);
  return prepareOpening(options, (_, http, logger) => resolveGraph(input, http, logger));
}

function prepareOpening<Options extends OpenOptions | OpenGrapheneOptions, Resolved>(
  options: Options,
  resolve: (options: Options, http: HttpClient, logger: Logger) => Promise<Resolved>,
): Opening<Resolved> {
  const logger = createLogger(options);
  return {
    options,
    logger,
    observe: createVolumeObserver(options, logger),
    resolve: (http) => resolve(options, http, logger),
  };
}

function parseDescriptionOfKind<Kind extends VolumeDescription['kind']>(
  userOptions: unknown,
  kind: Kind,
): Extract<VolumeDescription, { kind: Kind }> {
  const description = parseDescription(userOptions);
  if (description.kind === kind) return description as Extract<VolumeDescription, { kind: Kind }>;
  throw new PathError(
    'BAD_PATH',
    `the description is that of a ${description.kind} volume: use ${kind === 'graphene' ? 'openPrecomputed' : 'openGraphene'}`,
  );
}

/** Opens a volume with an HTTP client of its own, and closes the client when that fails. */
async function withHttp<T>(
  { options, observe, logger }: Pick<Opening<unknown>, 'options' | 'observe' | 'logger'>,
  open: (http: HttpClient, threads: WorkerPool | undefined) => Promise<T>,
): Promise<T> {
  const { concurrency = 'auto', timeoutMs, signal, retries, pace, connectTimeoutMs, idleTimeoutMs } = options;
  const threads = createWorkerPool(options.workers, (message) => logger.warn(message));
  const connections = {
    maxSockets: (concurrency === 'auto' ? MOST_READS : concurrency) + 16,
    connectTimeoutMs,
    idleTimeoutMs,
  };
  const http = createHttpClient({ ...connections, retries, pace, observe, remote: threads });
  try {
    return await withDeadline(timeoutMs, [signal], (bound) =>
      leaveOnAbort(open(http, threads), bound, () => undefined),
    );
  } catch (error) {
    http.close();
    throw error;
  }
}
