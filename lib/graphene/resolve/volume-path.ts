/** What a path names, before anybody is asked. */
import { PathError } from '../../base/errors.ts';
import { parseDatastackPath } from '../../cave/datastack-record.ts';
import { parseServer } from '../../cave/cave-server.ts';
import { parseGraphPath, type GraphPath, type Host } from '../../chunkedgraph/server/graph-path.ts';
import { normalizeCloudPath } from './cloud-path.ts';

/** A datastack by its name; `openGraphene('cave://NAME', { server })` is the same. */
export interface DatastackPath {
  datastack: string;
  /** That knows it, `https://HOST[:PORT]`. @default the one CAVEclient remembers for it, else https://global.daf-apis.com */
  server?: string;
}

/** What a path names: a table of a chunkedgraph, or a datastack that says which. */
export type ParsedVolumePath =
  | { graph: GraphPath; datastack?: undefined; server?: undefined }
  | { datastack: string; server: string | undefined; graph?: undefined };

/** @throws PathError BAD_PATH; TypeError for a server that is not asked, or named twice. */
export function parseVolumePath(path: string | DatastackPath, server: string | undefined): ParsedVolumePath {
  if (typeof path === 'string') {
    const place = normalizeCloudPath(path);
    if (place.startsWith('cave://')) return { datastack: parseDatastackPath(place), server };
    if (server !== undefined)
      throw new TypeError('server is where a cave:// path is looked up; this path names its own');
    return { graph: parseGraphPath(place) };
  }
  if (typeof path !== 'object' || path === null || typeof path.datastack !== 'string')
    throw new PathError('BAD_PATH', 'a volume is opened by its path, or as { datastack, server }');
  if (path.server !== undefined && server !== undefined) throw new TypeError('server is named twice');
  return { datastack: parseDatastackPath(`cave://${path.datastack}`), server: path.server ?? server };
}

/** The server whose token file comes after that of the host asked. @throws PathError BAD_PATH. */
export const parseAuthServer = (authServer: string | undefined): Host | undefined =>
  authServer === undefined ? undefined : parseServer(authServer);
