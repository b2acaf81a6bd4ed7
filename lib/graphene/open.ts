/** From a path, or from the description of a volume, to a volume that answers. */
import { leaveOnAbort } from '../base/abort.ts';
import { within } from '../base/deadline.ts';
import { PathError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { observing, type Observe } from '../base/observer.ts';
import { takeOptions } from '../base/options.ts';
import { safeText } from '../base/secrets.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { createHttpClient } from '../failures/http-client.ts';
import type { HttpClient } from '../http/client.ts';
import { loadGot } from '../http/send-with-got.ts';
import type { VolumeInfo } from '../precomputed/info.ts';
import { buildGraphene, buildPrecomputed } from './build.ts';
import type { GrapheneVolume } from './graphene-volume.ts';
import type { OpenGrapheneOptions, OpenOptions } from './options.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from './opening-options.ts';
import type { PrecomputedVolume } from './precomputed-volume.ts';
import { cloudPath, isGraphPath } from './resolve/cloud-path.ts';
import {
  checkNoSecret,
  isDescription,
  optionsFor,
  parseDescription,
  type GrapheneDescription,
  type PrecomputedDescription,
  type VolumeDescription,
} from './resolve/description.ts';
import type { DatastackPath } from './resolve/place.ts';
import { resolutionOf } from './resolution.ts';
import { reopenGraph } from './resolve/reopen-graph.ts';
import { askedGraph, resolveGraph, type ResolvedGraph } from './resolve/resolve-graph.ts';
import { plainPath, reopenPlain, resolvePlain, type ResolvedPlain } from './resolve/resolve-plain.ts';

const CONSOLE: Logger = { warn: (message) => console.warn(`graphene-points: ${message}`) };
const loggerOf = ({ logger = CONSOLE }: { logger?: Logger }): Logger => ({
  warn: (message) => logger.warn(safeText(message)),
});

const observerOf = ({ onEvent }: Pick<OpenOptions, 'onEvent'>, logger: Logger): Observe | undefined =>
  observing(onEvent, (message) => logger.warn(message));

/** Options that are checked, and how what they are about is come by. */
interface Start<Resolved> {
  options: OpenGrapheneOptions;
  logger: Logger;
  observe: Observe | undefined;
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
  return withHttp(start, async (http) => buildPrecomputed(await start.resolve(http), { ...start, http }));
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
    const volume = await buildGraphene(await start.resolve(http), { ...start, http });
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
  const { description } = await lookAtVolume(path, options);
  checkNoSecret(description);
  return description;
}

/** What a description says, read. */
export interface KnownVolume {
  description: VolumeDescription;
  info: VolumeInfo;
  graph?: GraphInfo;
}

/** The same for this process alone: a secret that the path holds stays in it. */
export async function lookAtVolume(
  path: string | DatastackPath,
  given: OpenGrapheneOptions = {},
): Promise<KnownVolume> {
  const isGraph = typeof path !== 'string' || isGraphPath(cloudPath(path)),
    start = isGraph ? startGraph(path, given) : startPlain(path, given as OpenOptions);
  return withHttp(start, async (http) => {
    const known: KnownVolume = await start.resolve(http);
    http.close();
    return known;
  });
}

function startPlain(path: string | PrecomputedDescription, given: OpenOptions): Start<ResolvedPlain> {
  if (isDescription(path)) {
    const description = described(path, 'precomputed');
    return starting(takeOptions(optionsFor(description, given), OPEN_OPTIONS), (options, http, logger) =>
      reopenPlain(description, options, http, logger),
    );
  }
  const place = plainPath(path),
    options = takeOptions(given, OPEN_OPTIONS);
  resolutionOf(options.resolution, undefined);
  return starting(options, (_, http, logger) => resolvePlain(place, options, http, logger));
}

function startGraph(
  path: string | DatastackPath | GrapheneDescription,
  given: OpenGrapheneOptions,
): Start<ResolvedGraph> {
  if (isDescription(path)) {
    const description = described(path, 'graphene');
    return starting(takeOptions(optionsFor(description, given), GRAPHENE_OPTIONS), (options, http, logger) =>
      reopenGraph(description, options, http, logger),
    );
  }
  const options = takeOptions(given, GRAPHENE_OPTIONS),
    asked = askedGraph(path, options);
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
    return await within(timeoutMs, [signal], (bound) => leaveOnAbort(open(http), bound, () => undefined));
  } catch (error) {
    http.close();
    throw error;
  }
}
