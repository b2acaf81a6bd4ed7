/** Looks up a datastack: its description, and the table of its chunkedgraph. */
import { errorJson } from '../../base/error-json.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';
import { fetchDatastackRecord } from '../../cave/datastack-record.ts';
import { allowedAddressesOf, serviceUrl } from '../../cave/cave-server.ts';
import { parseGraphPath, type Host } from '../../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/http-request.ts';
import type { DatastackDescription } from './description.ts';
import type { GraphTarget } from './redirects.ts';
import type { GraphTokens } from './tokens.ts';

/** A datastack and the table that it names. */
export interface FoundDatastack {
  datastack: DatastackDescription;
  table: GraphTarget;
}

/**
 * Requests a datastack from the info service, with the token of that host.
 * @throws As `readDatastack` and `findToken`.
 */
export async function findDatastack(
  name: string,
  server: Host,
  tokens: GraphTokens,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<FoundDatastack> {
  const info = new GraphServer<Host>({ http, path: server, token: await tokens.find(server) });
  const { segmentationSource, graphHost, localServer, viewerResolution, viewerSite } =
    await fetchDatastackRecord(info, name, signal);
  const local = localServer.value;
  return {
    datastack: {
      name,
      server: serviceUrl(server, ''),
      segmentationSource: redactSecrets(segmentationSource),
      localServer: local
        ? { url: serviceUrl(local, ''), allowAddress: allowedAddressesOf(local, info) }
        : null,
      viewerResolution: viewerResolution.value ?? null,
      ...(viewerSite !== undefined && { viewerSite: redactSecrets(viewerSite) }),
      faults: {
        ...(localServer.error && { localServer: errorJson(localServer.error) }),
        ...(viewerResolution.error && { viewerResolution: errorJson(viewerResolution.error) }),
      },
      version: null,
    },
    table: {
      path: parseGraphPath(segmentationSource),
      token: await tokens.find(graphHost),
      allowAddress: allowedAddressesOf(graphHost, info),
    },
  };
}
