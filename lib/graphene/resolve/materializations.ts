/** Opens the materializations of a datastack. Their server and its token are looked up at the first use. */
import { TimestampError } from '../../base/errors.ts';
import { reviveError } from '../../base/revive-error.ts';
import { parseServer } from '../../cave/cave-server.ts';
import { MaterializationVersions } from '../../cave/materialization-versions.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/http-request.ts';
import type { DatastackDescription } from './description.ts';
import type { GraphTokens } from './tokens.ts';

export type Materializations = Pick<MaterializationVersions, 'list' | 'timestampOf'>;

export function openMaterializations(
  { name, localServer, faults }: DatastackDescription,
  tokens: GraphTokens,
  http: HttpClient,
): Materializations {
  let opened: Promise<MaterializationVersions> | undefined;
  const open = async (): Promise<MaterializationVersions> => {
    if (faults.localServer) throw reviveError(faults.localServer);
    if (!localServer) throw new TimestampError(`datastack ${name} names no server for materializations`);
    const path = parseServer(localServer.url),
      token = await tokens.find(path);
    const server = new GraphServer<Host>({ http, path, token, allowAddress: localServer.allowAddress });
    return new MaterializationVersions(server, name);
  };
  const versions = (): Promise<MaterializationVersions> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined; // the next call retries
      throw error;
    }));
  return {
    list: async (signal) => (await versions()).list(signal),
    timestampOf: async (version, signal) => (await versions()).timestampOf(version, signal),
  };
}
