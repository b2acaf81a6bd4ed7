/** Whether volumes can be read from here, check by check, each with what to do next. Nothing that is found holds a token. */
import { LookupError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { formatVec3 } from '../base/vec3.ts';
import { fail, ok, warn, type Finding, type Findings } from './findings.ts';
import { checkSecrets } from './secrets.ts';
import { serverOf } from '../cave/server.ts';
import { parseGraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { SKEW_MS as TOO_FAR_MS } from '../chunkedgraph/server/server-clock.ts';
import { findToken, tokenFiles, type FoundToken } from '../chunkedgraph/server/token.ts';
import { createHttpClient, type HttpClient } from '../http/client.ts';
import { goesStraight, namesProxy, proxyFor, shownProxy } from '../http/proxy.ts';
import { openStore } from '../storage/open.ts';
import { parseJson } from '../http/json.ts';
import { cloudPath, isGraphPath } from '../graphene/resolve/cloud-path.ts';
import { authHostOf, openDatastack, placeOf, type OpenedDatastack } from '../graphene/datastack.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { lookUpNearMiddle } from './one-look-up.ts';
import { openGraphene, openPrecomputed } from '../graphene/open.ts';
import type { OpenGrapheneOptions } from '../graphene/options.ts';
import { isStore } from '../storage/store.ts';
import { graphNamed, MOST_REDIRECTS, redirectOf, type NextGraph } from '../graphene/resolve/redirects.ts';
import { headersOf, MIDDLEAUTH } from '../graphene/resolve/store-at.ts';
import { watershedStore } from '../graphene/resolve/watershed.ts';

export interface DoctorOptions extends Pick<
  OpenGrapheneOptions,
  'server' | 'authServer' | 'token' | 'dataDir' | 'ocdbt' | 'storage' | 'signal' | 'retries'
> {
  /** Of Node. @default the one running */
  version?: string;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

const OLDEST_NODE = [20, 19];
const INFO_BOUND = 16 * 1024 * 1024;
/** Clocks that agree so far need no advice: `Date` has whole seconds, and networks are slow. */
const SKEW_MS = 5000;
const QUIET: Logger = { warn: () => undefined };

/**
 * Checks in the order in which they build on each other; where one fails that others need, it is the last.
 *
 * @param path As `openGraphene` or `openPrecomputed` takes it; undefined checks this machine, and the token of the server.
 * @throws RangeError or TypeError for an impossible option; `signal.reason`.
 */
export async function* diagnose(path: string | undefined, options: DoctorOptions = {}): Findings {
  const { version = process.versions.node, retries = 2 } = options;
  yield checkNode(version);
  yield* checkSecrets(process.env);
  const http = createHttpClient({ retries });
  try {
    if (path === undefined) yield* checkServer(http, options);
    else if (isGraphPath(cloudPath(path))) yield* checkGraph(path, http, { ...options, retries });
    else yield* checkPlain(path, { ...options, retries });
  } catch (error) {
    if (!(error instanceof LookupError)) throw error;
    yield fail('path', error);
  } finally {
    http.close();
  }
}

function checkNode(version: string): Finding {
  const [major, minor] = version.split('.').map(Number),
    [wantedMajor, wantedMinor] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor))
    return ok('node', `Node ${version}`);
  return {
    name: 'node',
    verdict: 'fail',
    said: `Node ${version}; ${OLDEST_NODE.join('.')} or later is needed`,
    next: 'install a current Node',
  };
}

interface TokenCheck {
  finding: Finding;
  token?: FoundToken;
}

/** Which token a host gets; why it gets none. */
async function checkToken(
  host: Host,
  authHost: Host | undefined,
  { token }: DoctorOptions,
): Promise<TokenCheck> {
  const heard: string[] = [];
  try {
    const found = await findToken(host, { token, authHost }, (message) => heard.push(message));
    if (found)
      return { finding: ok('token', `${host.origin} gets the one from ${found.from}`), token: found };
  } catch (error) {
    return { finding: fail('token', error) };
  }
  if (token === null) return { finding: ok('token', `${host.origin} gets none, as was asked for`) };
  if (heard.length > 0) return { finding: warn('token', heard.join('; '), 'use https://') };
  return {
    finding: warn(
      'token',
      `none for ${host.origin}: CAVE_TOKEN is not set, and there is no ${tokenFiles(host, process.env, authHost).join(', ')}`,
      `if it wants one: graphene-points login ${(authHost ?? host).origin}`,
    ),
  };
}

/** Without a path: whether the server takes the token. Source: middle_auth_client, decorators.py, `user_cache_http`. */
async function* checkServer(http: HttpClient, options: DoctorOptions): Findings {
  const host = await serverOf('', options.server, process.env);
  const { finding, token } = await checkToken(host, authHostOf(options.authServer), options);
  yield finding;
  if (!token) return;
  const server = new GraphServer<Host>({ http, path: host, token });
  try {
    await server.ask({
      url: `${host.origin}/auth/api/v1/user/cache`,
      maxBytes: INFO_BOUND,
      signal: options.signal,
    });
    yield ok('access', `${host.origin} takes the token`);
  } catch (error) {
    yield fail('access', error, host.origin);
  }
}

async function* checkGraph(path: string, http: HttpClient, options: DoctorOptions): Findings {
  const { signal } = options,
    place = placeOf(path, options.server),
    authHost = authHostOf(options.authServer);
  let graph = place.graph,
    stack: OpenedDatastack | undefined,
    login = authHost;
  if (!graph) {
    const server = await serverOf(place.datastack!, place.server, process.env);
    login ??= server;
    const { finding } = await checkToken(server, login, options);
    yield finding;
    if (finding.verdict === 'fail') return;
    try {
      stack = await openDatastack(
        place.datastack!,
        { server: place.server, token: options.token, authHost, signal },
        http,
        () => undefined,
      );
    } catch (error) {
      return yield fail('datastack', error, login.origin);
    }
    graph = stack.graph;
    const { value, fault } = stack.viewerResolution;
    yield ok(
      'datastack',
      `${place.datastack} at ${server.origin}: ${stack.segmentationSource}; its viewer shows ${value ? `voxels of ${formatVec3(value)} nm` : fault ? 'what is not a resolution' : 'a resolution that is not told'}`,
    );
  }
  let token = stack?.token;
  if (stack?.server.origin !== graph.origin) {
    const checked = await checkToken(graph, login, options);
    yield checked.finding;
    if (checked.finding.verdict === 'fail') return;
    token = checked.token;
  }
  yield* checkProxy(graph.origin);
  const found = yield* checkTable(
    { path: graph, token, allowAddress: stack?.allowAddress },
    http,
    (login ?? graph).origin,
    options,
  );
  if (found === undefined) return;
  yield* checkWatershedInfo(
    found.answer,
    { path: found.server.path, token: found.server.token, address: found.server.address },
    http,
    options,
  );
  yield* checkVolume(path, options);
}

/** @returns the table's info, wherever it is now; undefined when it was not to be had. */
async function* checkTable(
  asked: NextGraph,
  http: HttpClient,
  login: string,
  options: DoctorOptions,
): AsyncGenerator<Finding, { server: GraphServer; answer: unknown } | undefined, undefined> {
  for (let at = asked, steps = 0; ; steps++) {
    const server = new GraphServer({ http, ...at });
    const answer = yield* checkAccess(server, at.token, login, options);
    if (answer === undefined) return undefined;
    try {
      const redirect = redirectOf(answer, at.path.infoUrl);
      if (redirect === undefined || steps === MOST_REDIRECTS) return { server, answer }; // opening the volume says what is wrong
      at = graphNamed(redirect, { ...at, address: server.address });
      yield ok('redirect', `${server.path.infoUrl} redirects to ${at.path.infoUrl}`);
    } catch (error) {
      yield fail('redirect', error);
      return undefined;
    }
  }
}

/** @returns the table's info; undefined when it was not to be had. */
async function* checkAccess(
  server: GraphServer,
  token: FoundToken | undefined,
  login: string,
  { signal, now = Date.now }: DoctorOptions,
): AsyncGenerator<Finding, unknown, undefined> {
  const { path } = server,
    asked = now();
  let reply;
  try {
    reply = await server.ask({ url: path.infoUrl, maxBytes: INFO_BOUND, signal });
  } catch (error) {
    yield fail('access', error, login);
    return undefined;
  }
  const answered = now();
  yield ok(
    'access',
    `${path.origin} answers for table ${path.table}${token ? `, with the token from ${token.from}` : ' without a token'}`,
  );
  yield checkClock(path.origin, reply.headers.date, (asked + answered) / 2);
  return parseJson(reply.body) ?? {}; // opening the volume says what is wrong
}

function checkClock(origin: string, date: string | undefined, hereMs: number): Finding {
  const thereMs = date === undefined ? NaN : Date.parse(date) + 500; // whole seconds, cut
  if (Number.isNaN(thereMs)) return ok('clock', `${origin} does not say what time it is`);
  const apartMs = Math.abs(hereMs - thereMs);
  if (apartMs <= SKEW_MS) return ok('clock', `agrees with that of ${origin} to ${SKEW_MS / 1000} s`);
  const said = `this machine is ${Math.round(apartMs / 1000)} s ${hereMs > thereMs ? 'ahead of' : 'behind'} ${origin}`;
  if (apartMs <= TOO_FAR_MS)
    return warn(
      'clock',
      said,
      'have it set its clock by the network: "now" is the earlier of both, and buckets refuse signatures of another hour',
    );
  const instants = `it is ${new Date(hereMs).toISOString()} here and ${new Date(thereMs).toISOString()} there`;
  return {
    name: 'clock',
    verdict: 'fail',
    said: `${said}: ${instants}`,
    next: 'set the clock that is wrong: which roots are current depends on it',
  };
}

async function* checkWatershedInfo(
  json: unknown,
  server: Parameters<typeof watershedStore>[1],
  http: HttpClient,
  options: DoctorOptions,
): Findings {
  try {
    const { dataDir } = parseGraphInfo(json, server.path.infoUrl);
    const store = await watershedStore(dataDir, server, http, { ...options, logger: QUIET });
    yield* checkProxy(store.url);
    const object = await store.read('info', { signal: options.signal, maxBytes: INFO_BOUND });
    yield object
      ? ok('bucket', `${store.url} is read`)
      : warn(
          'bucket',
          `${store.url} answers, but has no info`,
          'its chunks may be there all the same: see the look-up',
        );
  } catch (error) {
    yield fail('bucket', error);
  }
}

async function* checkVolume(
  path: string,
  { version: _version, now: _now, ...options }: DoctorOptions,
): Findings {
  let volume: GrapheneVolume;
  try {
    volume = await openGraphene(path, { ...options, logger: QUIET });
  } catch (error) {
    return yield fail('volume', error);
  }
  try {
    yield await checkVersions(volume, options.signal);
    yield await lookUpNearMiddle(volume, volume.graph.cvMip, options.signal);
    if (volume.datastack) yield await checkMaterializations(volume, options.signal);
  } finally {
    await volume.close();
  }
}

async function checkVersions(volume: GrapheneVolume, signal: AbortSignal | undefined): Promise<Finding> {
  try {
    const { server, api } = await volume.graph.versions({ signal });
    return ok('server', `PyChunkedGraph ${server}; API versions ${api.join(', ')}`);
  } catch (error) {
    return { ...fail('server', error), verdict: 'warn' };
  }
}

async function checkMaterializations(
  { datastack }: GrapheneVolume,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  try {
    const versions = await datastack!.versions({ signal });
    if (versions.length === 0)
      return warn(
        'versions',
        `${datastack!.name} has no materialization`,
        "timestamps 'mat' and 'mat_NUMBER' cannot be used",
      );
    const newest = versions.reduce((a, b) => Math.max(a, b));
    return ok(
      'versions',
      `${versions.length} ${versions.length === 1 ? 'materialization' : 'materializations'}, the newest ${newest} of ${(await datastack!.timestampOf(newest, { signal })).toISOString()}`,
    );
  } catch (error) {
    return { ...fail('versions', error, datastack!.server), verdict: 'warn' };
  }
}

/** Where a store is, as far as its path says. */
function addressOf(path: string, storage: DoctorOptions['storage']): string {
  if (isStore(storage)) return storage.url;
  const http = createHttpClient();
  try {
    return openStore(path.replace(MIDDLEAUTH, ''), { ...storage, http, headers: headersOf(storage) }).url;
  } catch {
    return ''; // opening it says what is wrong
  } finally {
    http.close();
  }
}

/** How a place is reached, where the environment names proxies. */
function* checkProxy(place: string, env: NodeJS.ProcessEnv = process.env): Generator<Finding> {
  if (!/^https?:/.test(place) || !(namesProxy(env) || env.HTTP_PROXY)) return;
  const url = new URL(place),
    { origin } = url;
  try {
    const proxy = proxyFor(url, env);
    if (proxy) yield ok('proxy', `${origin} is reached through ${shownProxy(proxy)}`);
    else if (url.protocol === 'http:' && env.HTTP_PROXY && !goesStraight(url, env))
      yield warn(
        'proxy',
        `${origin} is reached without a proxy: HTTP_PROXY counts in lower case only`,
        'set http_proxy',
      );
    else yield ok('proxy', `${origin} is reached without a proxy`);
  } catch (error) {
    yield fail('proxy', error);
  }
}

async function* checkPlain(
  path: string,
  { version: _version, now: _now, server, authServer, token, dataDir, ocdbt, ...options }: DoctorOptions,
): Findings {
  for (const [name, value] of Object.entries({ server, authServer, token, dataDir, ocdbt }))
    if (value !== undefined) throw new TypeError(`${name} is for graphene:// and cave:// paths`);
  const location = cloudPath(path),
    address = location.replace(MIDDLEAUTH, '');
  if (address !== location && URL.canParse(address))
    yield (await checkToken(new URL(address), undefined, {})).finding;
  yield* checkProxy(addressOf(location, options.storage));
  let volume;
  try {
    volume = await openPrecomputed(path, { ...options, logger: QUIET });
  } catch (error) {
    return yield fail('bucket', error);
  }
  try {
    if (volume.redirects.length > 0) yield ok('redirect', volume.redirects.join(' -> '));
    yield ok(
      'bucket',
      `${volume.type} of ${volume.dataType}, ${volume.scales.length} ${volume.scales.length === 1 ? 'scale' : 'scales'}`,
    );
    yield await lookUpNearMiddle(
      volume,
      volume.scales.findIndex(({ error }) => !error),
      options.signal,
    );
  } finally {
    await volume.close();
  }
}
