/** Parses the path of a chunkedgraph or a datastack, without a request. */
import { PathError } from '../../base/errors.ts';
import { parseDatastackPath } from '../../cave/datastack-record.ts';
import { parseServer } from '../../cave/cave-server.ts';
import { parseGraphPath, type GraphPath, type Host } from '../../chunkedgraph/server/graph-path.ts';
import { normalizeCloudPath } from './cloud-path.ts';

/** A datastack by its name. `openGraphene('cave://NAME', { server })` means the same. */
export interface DatastackPath {
  /** Name of the datastack, such as `minnie65_public`. */
  datastack: string;
  /**
   * Info service that describes the datastack, `https://HOST[:PORT]`.
   * @default the server that CAVEclient has saved for the datastack, else https://global.daf-apis.com
   */
  server?: string;
}

/** A parsed path: the table of a chunkedgraph, or a datastack that names one. */
export type ParsedVolumePath =
  | { graph: GraphPath; datastack?: undefined; server?: undefined }
  | { datastack: string; server: string | undefined; graph?: undefined };

/** Parses a path. @throws PathError BAD_PATH; TypeError for a `server` that has no use, or is given twice. */
export function parseVolumePath(path: string | DatastackPath, server: string | undefined): ParsedVolumePath {
  if (typeof path === 'string') {
    const place = normalizeCloudPath(path);
    if (place.startsWith('cave://')) return { datastack: parseDatastackPath(place), server };
    if (server !== undefined)
      throw new TypeError('server is only for a cave:// path; this path names its own server');
    return { graph: parseGraphPath(place) };
  }
  if (typeof path !== 'object' || path === null || typeof path.datastack !== 'string')
    throw new PathError('BAD_PATH', 'the path of a volume must be a string, or { datastack, server }');
  if (path.server !== undefined && server !== undefined)
    throw new TypeError('server is given twice: in the path and as an option');
  return { datastack: parseDatastackPath(`cave://${path.datastack}`), server: path.server ?? server };
}

/** Parses the option `authServer`. @throws PathError BAD_PATH. */
export const parseAuthServer = (authServer: string | undefined): Host | undefined =>
  authServer === undefined ? undefined : parseServer(authServer);
