/** Requests the info of a chunkedgraph's table, and follows its redirects. */
import { ChunkedGraphClient } from '../../chunkedgraph/server/chunkedgraph-client.ts';
import type { GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import { getEarliestNow } from '../../chunkedgraph/server/earliest-now.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import { ServerClock } from '../../chunkedgraph/server/server-clock.ts';
import type { AddressPolicy, HttpClient } from '../../http/http-request.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import { followTableRedirect, RedirectTrail, type GraphTarget } from './redirects.ts';

/** A table's info, and the server that answered. */
export interface FoundTable {
  server: GraphServer;
  /** Addresses that the server may have. */
  allowAddress: AddressPolicy | undefined;
  /** The table's info as JSON. */
  json: unknown;
  /** Paths of the redirects, the user's table first; empty without a redirect. */
  redirects: readonly string[];
}

type TableOptions = Pick<OpenGrapheneOptions, 'rateLimit' | 'pace' | 'signal'>;

/** Creates the client of a table's server, with the volume's pace and clock. */
export const createTableServer = (
  at: GraphTarget,
  http: HttpClient,
  { rateLimit, pace }: TableOptions,
  warn: (message: string) => void,
): GraphServer =>
  new GraphServer({
    http,
    rateLimit,
    pace,
    ...at,
    clock: new ServerClock({ earliestNow: getEarliestNow(at.path), warn }),
  });

/** Requests a table's info. @throws GraphError; InfoError BAD_INFO, UNSUPPORTED; as `followTableRedirect`. */
export async function findTable(
  start: GraphTarget,
  http: HttpClient,
  options: TableOptions,
  warn: (message: string) => void,
): Promise<FoundTable> {
  const trail = new RedirectTrail(formatTablePath(start.path));
  for (let at = start; ;) {
    const server = createTableServer(at, http, options, warn);
    const { json } = await new ChunkedGraphClient({ server }).info(options.signal);
    const next = followTableRedirect(json, at, server.address);
    if (!next) return { server, allowAddress: at.allowAddress, json, redirects: trail.steps };
    trail.follow(formatTablePath(next.path), at.path.infoUrl);
    at = next;
  }
}

/** Formats the path of a table in the normalized spelling, `graphene://…`. */
export const formatTablePath = ({ infoUrl }: GraphPath): string =>
  `graphene://${infoUrl.replace(/\/info$/, '')}`;
