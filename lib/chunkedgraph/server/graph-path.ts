/**
 * The many spellings of a chunkedgraph's address. Source: CloudVolume, datasource/graphene/metadata.py, `extract_graphene_path`.
 */
import { PathError } from '../../base/errors.ts';

/** Where a service of CAVE is. */
export interface Host {
  /** `https://host[:port]`. */
  origin: string;
  /** Without the port. */
  hostname: string;
  /** With the port, if one is given. */
  host: string;
  /** What stands before the paths of its services, such as `/cave`; undefined where there is nothing. */
  prefix?: string;
}

export interface GraphPath extends Host {
  table: string;
  infoUrl: string;
  /** `…/segmentation/api/v1/table/NAME`: what endpoints are appended to. */
  tableUrl: string;
}

const FORMS = 'graphene://[middleauth+]https://HOST[:PORT]/segmentation/table/NAME';
/** The service's own path is the shortest that fits: `/segmentation`, not `/segmentation/api/v1`. */
const PATHNAME = /^((?:\/[^/]+)*?)\/(?:table|1\.0|api\/v\d+(?:\/table)?)\/([^/]+)\/?$/;

/**
 * Accepts `…/segmentation/table/NAME`, `…/segmentation/1.0/NAME`, `…/segmentation/api/v1/table/NAME` and `…/segmentation/api/v1/NAME`.
 * @throws PathError BAD_PATH.
 */
export function parseGraphPath(cloudPath: string): GraphPath {
  const bad = (why: string): PathError =>
    new PathError('BAD_PATH', `${why}; a chunkedgraph is opened as ${FORMS}`);
  if (!cloudPath.startsWith('graphene://')) throw bad('the path does not start with graphene://');
  const address = cloudPath.slice('graphene://'.length).replace(/^middleauth\+/, '');
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw bad('the path holds no URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw bad(`the server's protocol is ${url.protocol}//, not https://`);
  if (url.username || url.password)
    throw bad('the path holds a user name or a password; tokens have an option of their own');
  if (url.search || url.hash) throw bad('the path has a query or a fragment');
  const match = PATHNAME.exec(url.pathname);
  if (!match || match[1] === '') throw bad(`${url.origin}${url.pathname} names no table`);
  const [, service, table] = match;
  return {
    origin: url.origin,
    hostname: url.hostname,
    host: url.host,
    table: decoded(table, bad),
    infoUrl: `${url.origin}${service}/table/${table}/info`,
    tableUrl: `${url.origin}${service}/api/v1/table/${table}`,
  };
}

function decoded(table: string, bad: (why: string) => PathError): string {
  try {
    return decodeURIComponent(table);
  } catch {
    throw bad(`the table's name ${table} is wrongly percent-encoded`);
  }
}
