/** A datastack: which table its server names, and what that server says besides. */
import { errorJson } from '../../base/error-json.ts';
import { withoutSecrets } from '../../base/secrets.ts';
import { readDatastack } from '../../cave/datastack.ts';
import { addressesOf, urlOf } from '../../cave/server.ts';
import { parseGraphPath, type Host } from '../../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/client.ts';
import type { DatastackDescription } from './description.ts';
import type { NextGraph } from './redirects.ts';
import type { GraphTokens } from './tokens.ts';

export interface FoundDatastack {
  datastack: DatastackDescription;
  table: NextGraph;
}

/**
 * Asks the info service, with the token that its host would get.
 * @throws as `readDatastack` and `findToken`.
 */
export async function findDatastack(
  name: string,
  server: Host,
  tokens: GraphTokens,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<FoundDatastack> {
  const info = new GraphServer<Host>({ http, path: server, token: await tokens.of(server) });
  const { segmentationSource, graphHost, localServer, viewerResolution } = await readDatastack(
    info,
    name,
    signal,
  );
  const local = localServer.value;
  return {
    datastack: {
      name,
      server: urlOf(server, ''),
      segmentationSource: withoutSecrets(segmentationSource),
      localServer: local ? { url: urlOf(local, ''), allowAddress: addressesOf(local, info) } : null,
      viewerResolution: viewerResolution.value ?? null,
      faults: {
        ...(localServer.fault && { localServer: errorJson(localServer.fault) }),
        ...(viewerResolution.fault && { viewerResolution: errorJson(viewerResolution.fault) }),
      },
      version: null,
    },
    table: {
      path: parseGraphPath(segmentationSource),
      token: await tokens.of(graphHost),
      allowAddress: addressesOf(graphHost, info),
    },
  };
}
