/** From a path, or from the description of a volume, to a volume that answers. */
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
import { loadGot } from '../http/send-with-got.ts';
import type { VolumeInfo } from '../precomputed/volume-info.ts';
import { createGrapheneVolume, createPrecomputedVolume } from './create-volume.ts';
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
import { reopenGraph } from './resolve/reopen-graph.ts';
import { parseGraphInput, resolveGraph, type ResolvedGraph } from './resolve/resolve-graph.ts';
import {
  parsePrecomputedPath,
  reopenPrecomputed,
  resolvePrecomputed,
  type ResolvedPrecomputed,
} from './resolve/resolve-precomputed.ts';

const CONSOLE: Logger = { warn: (message) => console.warn(`graphene-points: ${message}`) };
const loggerOf = ({ logger = CONSOLE }: { logger?: Logger }): Logger => ({
  warn: (message) => logger.warn(safeText(message)),
});

const observerOf = ({ onEvent }: Pick<OpenOptions, 'onEvent'>, logger: Logger): Observer | undefined =>
  createObserver(onEvent, (message) => logger.warn(message));

/** Options that are checked, and how what they are about is come by. */
interface Start<Resolved> {
  options: OpenGrapheneOptions;
  logger: Logger;
  observe: Observer | undefined;
  resolve: (http: HttpClient) => Promise<Resolved>;
}

/**
 * Opens a Precomputed volume: reads its info, and those that it redirects to, and nothing else; of a description, nothing.
 *
 * @param path `file://` or a plain path, `http(s)://`, `gs://`, `s3://`, `mem://`; a leading `precomputed://`, or Neuroglancer's
 *   `|neuroglancer-precomputed:` at its end, is optional. Or what `resolveVolume` gave.
 * @throws PathError, InfoError (NOT_FOUND, BAD_INFO, UNSUPPORTED), RequestError; CredentialsError NOT_FOUND for a description that wants
 *   credentials which are not given; RangeError or TypeError for an impossible option.
 */
export async function openPrecomputed(
  path: string | PrecomputedDescription,
  given: OpenOptions = {},
): Promise<PrecomputedVolume> {
  const start = startPlain(path, given);
  return withHttp(start, async (http) =>
    createPrecomputedVolume(await start.resolve(http), { ...start, http }),
  );
}

/**
 * Opens a chunkedgraph and its watershed: reads the graph's info and nothing else; of a datastack, what its server says of it before.
 *
 * @param path `graphene://[middleauth+]https://HOST[:PORT]/segmentation/table/NAME`, or one of the older spellings; `cave://DATASTACK`, or
 *   the same as `{ datastack, server }`; or what `resolveVolume` gave.
 * @throws PathError (BAD_PATH; INSECURE_TOKEN; FORBIDDEN_ADDRESS when a server names a place it must not), InfoError, GraphError;
 *   TimestampError; SnapshotError for `rootCache.file`; CredentialsError NOT_FOUND for a description that wants a token or credentials which
 *   are not to be had; RangeError or TypeError for an impossible option.
 */
export async function openGraphene(
  path: string | DatastackPath | GrapheneDescription,
  given: OpenGrapheneOptions = {},
): Promise<GrapheneVolume> {
  const start = startGraph(path, given);
  return withHttp(start, async (http) => {
    // While the servers are asked. A package that cannot be loaded now is tried again with the first look-up.
    const prepared = Promise.allSettled([loadGot()]);
    const volume = await createGrapheneVolume(await start.resolve(http), { ...start, http });
    await prepared;
    return volume;
  });
}

/**
 * The first half of opening a volume: asks its servers, reads no chunk, and gives what it found as plain JSON, from which `openGraphene` or
 * `openPrecomputed` opens it in another thread or on another machine. Tokens and credentials are named there, never held.
 *
 * @throws as `openGraphene` and `openPrecomputed`; PathError BAD_PATH when the path, or the info, holds a secret.
 * @example
 * const description = await resolveVolume('cave://minnie65_public', { timestamp: 'mat_943' });
 * await using volume = await openGraphene(JSON.parse(JSON.stringify(description)));
 */
export async function resolveVolume(
  path: string | DatastackPath,
  options: OpenGrapheneOptions = {},
): Promise<VolumeDescription> {
  const { description } = await findVolume(path, options);
  checkNoSecret(description);
  return description;
}

/** What a description says, read. */
export interface FoundVolume {
  description: VolumeDescription;
  info: VolumeInfo;
  graph?: GraphInfo;
}

/** The same for this process alone: a secret that the path holds stays in it. */
export async function findVolume(
  path: string | DatastackPath,
  given: OpenGrapheneOptions = {},
): Promise<FoundVolume> {
  const isGraph = typeof path !== 'string' || isGraphPath(normalizeCloudPath(path)),
    start = isGraph ? startGraph(path, given) : startPlain(path, given as OpenOptions);
  return withHttp(start, async (http) => {
    const known: FoundVolume = await start.resolve(http);
    http.close();
    return known;
  });
}

function startPlain(path: string | PrecomputedDescription, given: OpenOptions): Start<ResolvedPrecomputed> {
  if (isDescription(path)) {
    const description = described(path, 'precomputed');
    return starting(
      parseOptions(mergeDescribedOptions(description, given), OPEN_OPTIONS),
      (options, http, logger) => reopenPrecomputed(description, options, http, logger),
    );
  }
  const place = parsePrecomputedPath(path),
    options = parseOptions(given, OPEN_OPTIONS);
  resolveResolution(options.resolution, undefined);
  return starting(options, (_, http, logger) => resolvePrecomputed(place, options, http, logger));
}

function startGraph(
  path: string | DatastackPath | GrapheneDescription,
  given: OpenGrapheneOptions,
): Start<ResolvedGraph> {
  if (isDescription(path)) {
    const description = described(path, 'graphene');
    return starting(
      parseOptions(mergeDescribedOptions(description, given), GRAPHENE_OPTIONS),
      (options, http, logger) => reopenGraph(description, options, http, logger),
    );
  }
  const options = parseOptions(given, GRAPHENE_OPTIONS),
    asked = parseGraphInput(path, options);
  return starting(options, (_, http, logger) => resolveGraph(asked, http, logger));
}

function starting<Options extends OpenOptions | OpenGrapheneOptions, Resolved>(
  options: Options,
  resolve: (options: Options, http: HttpClient, logger: Logger) => Promise<Resolved>,
): Start<Resolved> {
  const logger = loggerOf(options);
  return {
    options,
    logger,
    observe: observerOf(options, logger),
    resolve: (http) => resolve(options, http, logger),
  };
}

function described<Kind extends VolumeDescription['kind']>(
  given: unknown,
  kind: Kind,
): Extract<VolumeDescription, { kind: Kind }> {
  const description = parseDescription(given);
  if (description.kind === kind) return description as Extract<VolumeDescription, { kind: Kind }>;
  throw new PathError(
    'BAD_PATH',
    `the description is of a ${description.kind} volume: use ${kind === 'graphene' ? 'openPrecomputed' : 'openGraphene'}`,
  );
}

/** An HTTP client for one volume; closed again when the opening fails. */
async function withHttp<T>(
  { options, observe }: Pick<Start<unknown>, 'options' | 'observe'>,
  open: (http: HttpClient) => Promise<T>,
): Promise<T> {
  const { concurrency = 32, timeoutMs, signal, retries, pace, connectTimeoutMs, idleTimeoutMs } = options;
  const connections = { maxSockets: concurrency + 16, connectTimeoutMs, idleTimeoutMs };
  const http = createHttpClient({ ...connections, retries, pace, observe });
  try {
    return await withDeadline(timeoutMs, [signal], (bound) =>
      leaveOnAbort(open(http), bound, () => undefined),
    );
  } catch (error) {
    http.close();
    throw error;
  }
}
