/**
 * Parses the address of a chunkedgraph, in all its spellings.
 *
 * Source: CloudVolume, datasource/graphene/metadata.py, `extract_graphene_path`.
 */
import { PathError } from '../../base/errors.ts';

/** The address of a CAVE service. */
export interface Host {
  /** `https://host[:port]`. */
  origin: string;
  /** The name of the host, without the port. */
  hostname: string;
  /** The name of the host, with the port if the address has one. */
  host: string;
  /** The path in front of the service's own paths, such as `/cave`. Undefined if there is none. */
  prefix?: string;
}

/** The address of one table of a chunkedgraph. */
export interface GraphPath extends Host {
  table: string;
  infoUrl: string;
  /** Base URL of the table's endpoints: `…/segmentation/api/v1/table/NAME`. */
  tableUrl: string;
}

const FORMS = 'graphene://[middleauth+]https://HOST[:PORT]/segmentation/table/NAME';
/** The path of the service is the shortest match: `/segmentation`, not `/segmentation/api/v1`. */
const PATHNAME = /^((?:\/[^/]+)*?)\/(?:table|1\.0|api\/v\d+(?:\/table)?)\/([^/]+)\/?$/;

/**
 * Parses a cloud path that starts with `graphene://`. Accepts `…/segmentation/table/NAME`,
 * `…/segmentation/1.0/NAME`, `…/segmentation/api/v1/table/NAME` and `…/segmentation/api/v1/NAME`.
 *
 * @throws PathError BAD_PATH.
 */
export function parseGraphPath(cloudPath: string): GraphPath {
  const bad = (why: string): PathError =>
    new PathError('BAD_PATH', `${why}; the path of a chunkedgraph is ${FORMS}`);
  if (!cloudPath.startsWith('graphene://')) throw bad('the path does not start with graphene://');
  const address = cloudPath.slice('graphene://'.length).replace(/^middleauth\+/, '');
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw bad('the path does not contain a URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw bad(`the server's protocol is ${url.protocol}//, not https://`);
  if (url.username || url.password)
    throw bad('the path contains a user name or a password; use the token option instead');
  if (url.search || url.hash) throw bad('the path has a query or a fragment');
  const match = PATHNAME.exec(url.pathname);
  if (!match || match[1] === '') throw bad(`${url.origin}${url.pathname} does not name a table`);
  const [, service, table] = match;
  return {
    origin: url.origin,
    hostname: url.hostname,
    host: url.host,
    table: decodeTable(table, bad),
    infoUrl: `${url.origin}${service}/table/${table}/info`,
    tableUrl: `${url.origin}${service}/api/v1/table/${table}`,
  };
}

function decodeTable(table: string, bad: (why: string) => PathError): string {
  try {
    return decodeURIComponent(table);
  } catch {
    throw bad(`the percent-encoding of the table name ${table} is invalid`);
  }
}
