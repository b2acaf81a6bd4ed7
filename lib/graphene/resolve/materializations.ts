/** The materializations of a datastack. Their server, and the token for it, are only looked for by those who want some. */
import { TimestampError } from '../../base/errors.ts';
import { reviveError } from '../../base/revive-error.ts';
import { parseServer } from '../../cave/server.ts';
import { Versions } from '../../cave/versions.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/client.ts';
import type { DatastackDescription } from './description.ts';
import type { GraphTokens } from './tokens.ts';

export type Materializations = Pick<Versions, 'list' | 'momentOf'>;

export function materializationsOf(
  { name, localServer, faults }: DatastackDescription,
  tokens: GraphTokens,
  http: HttpClient,
): Materializations {
  let opened: Promise<Versions> | undefined;
  const open = async (): Promise<Versions> => {
    if (faults.localServer) throw reviveError(faults.localServer);
    if (!localServer) throw new TimestampError(`datastack ${name} names no server that has materializations`);
    const path = parseServer(localServer.url),
      token = await tokens.of(path);
    const server = new GraphServer<Host>({ http, path, token, allowAddress: localServer.allowAddress });
    return new Versions(server, name);
  };
  const versions = (): Promise<Versions> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined; // whoever asks next tries again
      throw error;
    }));
  return {
    list: async (signal) => (await versions()).list(signal),
    momentOf: async (version, signal) => (await versions()).momentOf(version, signal),
  };
}
