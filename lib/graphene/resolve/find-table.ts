/** The table of a chunkedgraph, wherever its info says that it has moved to. */
import { ChunkedGraphClient } from '../../chunkedgraph/server/client.ts';
import type { GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import { presentOf } from '../../chunkedgraph/server/graph-present.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import { ServerClock } from '../../chunkedgraph/server/server-clock.ts';
import type { AllowAddress, HttpClient } from '../../http/client.ts';
import type { OpenGrapheneOptions } from '../options.ts';
import { redirectedTable, Trail, type NextGraph } from './redirects.ts';

export interface FoundTable {
  server: GraphServer;
  /** Addresses that it may have. */
  allowAddress: AllowAddress | undefined;
  /** The table's info as it stands. */
  json: unknown;
  /** The tables that were gone through, the user's first; none when nothing redirected. */
  redirects: readonly string[];
}

type TableOptions = Pick<OpenGrapheneOptions, 'rateLimit' | 'pace' | 'signal'>;

/** The server of a table, as a volume asks it. */
export const tableServer = (
  at: NextGraph,
  http: HttpClient,
  { rateLimit, pace }: TableOptions,
  warn: (message: string) => void,
): GraphServer =>
  new GraphServer({
    http,
    rateLimit,
    pace,
    ...at,
    clock: new ServerClock({ present: presentOf(at.path), warn }),
  });

/** @throws GraphError; InfoError BAD_INFO, UNSUPPORTED; as `redirectedTable`. */
export async function findTable(
  asked: NextGraph,
  http: HttpClient,
  options: TableOptions,
  warn: (message: string) => void,
): Promise<FoundTable> {
  const trail = new Trail(placeOfTable(asked.path));
  for (let at = asked; ;) {
    const server = tableServer(at, http, options, warn);
    const { json } = await new ChunkedGraphClient({ server }).info(options.signal);
    const next = redirectedTable(json, at, server.address);
    if (!next) return { server, allowAddress: at.allowAddress, json, redirects: trail.steps };
    trail.goTo(placeOfTable(next.path), at.path.infoUrl);
    at = next;
  }
}

/** In one spelling, whichever of the many was used. */
export const placeOfTable = ({ infoUrl }: GraphPath): string =>
  `graphene://${infoUrl.replace(/\/info$/, '')}`;
