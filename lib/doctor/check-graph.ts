/** Checks whether a chunkedgraph and its watershed can be read, in the same steps as opening the volume. */
import { formatVec3 } from '../base/vec3.ts';
import { findServer } from '../cave/cave-server.ts';
import { parseGraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { MAX_SKEW_MS } from '../chunkedgraph/server/server-clock.ts';
import type { FoundToken, TokenSearch } from '../chunkedgraph/server/token.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { openGraphene } from '../graphene/open-and-resolve.ts';
import type { DatastackDescription } from '../graphene/resolve/description.ts';
import { findDatastack, type FoundDatastack } from '../graphene/resolve/find-datastack.ts';
import { parseAuthServer, parseVolumePath } from '../graphene/resolve/volume-path.ts';
import { MAX_REDIRECTS, followTableRedirect, type GraphTarget } from '../graphene/resolve/redirects.ts';
import { GraphTokens } from '../graphene/resolve/tokens.ts';
import { findWatershed } from '../graphene/resolve/watershed.ts';
import type { HttpClient } from '../http/http-request.ts';
import { parseJson } from '../http/json.ts';
import { checkProxy } from './check-proxy.ts';
import { checkToken } from './check-token.ts';
import { MAX_INFO_BYTES, SILENT_LOGGER, type DoctorOptions } from './doctor-options.ts';
import { fail, ok, warn, type Finding, type Findings } from './findings.ts';
import { lookUpNearMiddle } from './check-look-up.ts';

/**
 * A difference between the clocks that needs no advice: `Date` headers have whole seconds, and networks are
 * slow.
 */
const TOLERATED_SKEW_MS = 5000;

/** Yields one finding per step: token, datastack, access, clock, bucket, server, look-up and versions. */
export async function* checkGraph(path: string, http: HttpClient, options: DoctorOptions): Findings {
  const parsedPath = parseVolumePath(path, options.server),
    authHost = parseAuthServer(options.authServer),
    caveServer = parsedPath.graph
      ? undefined
      : await findServer(parsedPath.datastack, parsedPath.server, process.env),
    tokenServer = authHost ?? caveServer,
    search: TokenSearch = { token: options.token, authHost: tokenServer };
  let found: FoundDatastack | undefined;
  if (caveServer) {
    const { finding } = await checkToken(caveServer, search);
    yield finding;
    if (finding.verdict === 'fail') return;
    const tokens = new GraphTokens(search, () => undefined);
    try {
      found = await findDatastack(parsedPath.datastack!, caveServer, tokens, http, options.signal);
    } catch (error) {
      return yield fail('datastack', error, tokenServer!.origin);
    }
    yield ok(
      'datastack',
      `${parsedPath.datastack} at ${caveServer.origin}: ${describeDatastack(found.datastack)}`,
    );
  }
  const table = found?.table ?? { path: parsedPath.graph!, token: undefined },
    graph = table.path;
  if (caveServer?.origin !== graph.origin) {
    const { finding, token } = await checkToken(graph, search);
    yield finding;
    if (finding.verdict === 'fail') return;
    table.token = token;
  }
  yield* checkProxy(graph.origin);
  const info = yield* checkTable(table, http, (tokenServer ?? graph).origin, options);
  if (info === undefined) return;
  yield* checkWatershedInfo(info, http, options);
  yield* checkVolume(path, options);
}

function describeDatastack({ segmentationSource, viewerResolution, faults }: DatastackDescription): string {
  const resolution = viewerResolution
    ? `voxels of ${formatVec3(viewerResolution)} nm`
    : faults.viewerResolution
      ? 'an invalid resolution'
      : 'an unknown resolution';
  return `${segmentationSource}; its viewer uses ${resolution}`;
}

/** The info of a table, and the server that sent it. */
interface TableInfo {
  server: GraphServer;
  answer: unknown;
}

/** Reads the info of a table and follows its redirects. @returns undefined if the info cannot be read. */
async function* checkTable(
  target: GraphTarget,
  http: HttpClient,
  tokenServer: string,
  options: DoctorOptions,
): AsyncGenerator<Finding, TableInfo | undefined, undefined> {
  for (let at = target, steps = 0; ; steps++) {
    const server = new GraphServer({ http, ...at });
    const answer = yield* checkAccess(server, at.token, tokenServer, options);
    if (answer === undefined) return undefined;
    try {
      const next = steps === MAX_REDIRECTS ? undefined : followTableRedirect(answer, at, server.address);
      if (!next) return { server, answer }; // opening the volume reports a longer chain
      at = next;
      yield ok('redirect', `${server.path.infoUrl} redirects to ${at.path.infoUrl}`);
    } catch (error) {
      yield fail('redirect', error);
      return undefined;
    }
  }
}

/** Reads the info of a table. @returns undefined if it cannot be read. */
async function* checkAccess(
  server: GraphServer,
  token: FoundToken | undefined,
  tokenServer: string,
  { signal, now = Date.now }: DoctorOptions,
): AsyncGenerator<Finding, unknown, undefined> {
  const { path } = server,
    requestedAt = now();
  let reply;
  try {
    reply = await server.request({ url: path.infoUrl, maxBytes: MAX_INFO_BYTES, signal });
  } catch (error) {
    yield fail('access', error, tokenServer);
    return undefined;
  }
  const answeredAt = now();
  yield ok(
    'access',
    `${path.origin} answers for table ${path.table}${token ? `, with the token from ${token.from}` : ' without a token'}`,
  );
  yield checkClock(path.origin, reply.headers.date, (requestedAt + answeredAt) / 2);
  return parseJson(reply.body) ?? {}; // opening the volume reports an invalid info
}

function checkClock(origin: string, date: string | undefined, localMs: number): Finding {
  const serverMs = date === undefined ? NaN : Date.parse(date) + 500; // the header has whole seconds, rounded down
  if (Number.isNaN(serverMs)) return ok('clock', `${origin} does not send the time`);
  const differenceMs = Math.abs(localMs - serverMs);
  if (differenceMs <= TOLERATED_SKEW_MS)
    return ok('clock', `agrees with the clock of ${origin} to within ${TOLERATED_SKEW_MS / 1000} s`);
  const said = `this machine is ${Math.round(differenceMs / 1000)} s ${localMs > serverMs ? 'ahead of' : 'behind'} ${origin}`;
  if (differenceMs <= MAX_SKEW_MS)
    return warn(
      'clock',
      said,
      'synchronize its clock with the network: "now" is the earlier of both clocks, and buckets refuse signatures with a wrong time',
    );
  const times = `it is ${new Date(localMs).toISOString()} here and ${new Date(serverMs).toISOString()} there`;
  return {
    name: 'clock',
    verdict: 'fail',
    said: `${said}: ${times}`,
    next: 'correct the clock that is wrong: which roots are current depends on it',
  };
}

async function* checkWatershedInfo(
  { server: { path, token, address }, answer }: TableInfo,
  http: HttpClient,
  options: DoctorOptions,
): Findings {
  try {
    const { dataDir } = parseGraphInfo(answer, path.infoUrl);
    const { store } = await findWatershed(dataDir, { path, token, address }, http, {
      ...options,
      logger: SILENT_LOGGER,
    });
    yield* checkProxy(store.url);
    const object = await store.read('info', { signal: options.signal, maxBytes: MAX_INFO_BYTES });
    yield object
      ? ok('bucket', `${store.url} can be read`)
      : warn(
          'bucket',
          `${store.url} answers, but has no info`,
          'its chunks may still be there: see the look-up below',
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
    volume = await openGraphene(path, { ...options, logger: SILENT_LOGGER });
  } catch (error) {
    return yield fail('volume', error);
  }
  try {
    yield await checkVersions(volume, options.signal);
    yield describeSupervoxels(volume, options);
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

function describeSupervoxels({ graph }: GrapheneVolume, { ocdbt }: DoctorOptions): Finding {
  if (!graph.supervoxelsSplit) return ok('supervoxels', 'never split: a saved supervoxel ID stays valid');
  const said = 'can split: a saved supervoxel ID may be stale_supervoxel later';
  return ocdbt === 'ignore'
    ? warn(
        'supervoxels',
        `${said}; the voxels here are the unsplit ones`,
        "leave out ocdbt: 'ignore' (--ocdbt ignore)",
      )
    : ok('supervoxels', `${said}; the current voxels are read from OCDBT`);
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
