/** The table of a chunkedgraph, wherever its info says that it has moved to. */
import { ChunkedGraphClient } from '../../chunkedgraph/server/chunkedgraph-client.ts';
import type { GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import { getEarliestNow } from '../../chunkedgraph/server/earliest-now.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import { ServerClock } from '../../chunkedgraph/server/server-clock.ts';
import type { AddressPolicy, HttpClient } from '../../http/http-request.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import { followTableRedirect, RedirectTrail, type GraphTarget } from './redirects.ts';

export interface FoundTable {
  server: GraphServer;
  /** Addresses that it may have. */
  allowAddress: AddressPolicy | undefined;
  /** The table's info as it stands. */
  json: unknown;
  /** The tables that were gone through, the user's first; none when nothing redirected. */
  redirects: readonly string[];
}

type TableOptions = Pick<OpenGrapheneOptions, 'rateLimit' | 'pace' | 'signal'>;

/** The server of a table, as a volume asks it. */
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

/** @throws GraphError; InfoError BAD_INFO, UNSUPPORTED; as `redirectedTable`. */
export async function findTable(
  asked: GraphTarget,
  http: HttpClient,
  options: TableOptions,
  warn: (message: string) => void,
): Promise<FoundTable> {
  const trail = new RedirectTrail(formatTablePath(asked.path));
  for (let at = asked; ;) {
    const server = createTableServer(at, http, options, warn);
    const { json } = await new ChunkedGraphClient({ server }).info(options.signal);
    const next = followTableRedirect(json, at, server.address);
    if (!next) return { server, allowAddress: at.allowAddress, json, redirects: trail.steps };
    trail.follow(formatTablePath(next.path), at.path.infoUrl);
    at = next;
  }
}

/** In one spelling, whichever of the many was used. */
export const formatTablePath = ({ infoUrl }: GraphPath): string =>
  `graphene://${infoUrl.replace(/\/info$/, '')}`;
