/** The table of a chunkedgraph, wherever its info says that it has moved to. */
import { ChunkedGraphClient } from '../../chunkedgraph/server/client.ts';
import { presentOf } from '../../chunkedgraph/server/graph-present.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import { ServerClock } from '../../chunkedgraph/server/server-clock.ts';
import type { HttpClient } from '../../http/client.ts';
import type { OpenGrapheneOptions } from '../options.ts';
import { graphNamed, redirectOf, Trail, type NextGraph } from './redirects.ts';

export interface FoundGraph {
  server: GraphServer;
  client: ChunkedGraphClient;
  /** The table's info as it stands. */
  json: unknown;
  /** The tables that were gone through, the user's first; none when nothing redirected. */
  redirects: readonly string[];
}

/** @throws GraphError; InfoError BAD_INFO, UNSUPPORTED; as `graphNamed`. */
export async function findGraph(
  asked: NextGraph,
  http: HttpClient,
  { rateLimit, rootTimeoutMs, signal }: Pick<OpenGrapheneOptions, 'rateLimit' | 'rootTimeoutMs' | 'signal'>,
  warn: (message: string) => void,
): Promise<FoundGraph> {
  const trail = new Trail(placeOfTable(asked));
  for (let at = asked; ;) {
    const server = new GraphServer({
      http,
      rateLimit,
      ...at,
      clock: new ServerClock({ present: presentOf(at.path), warn }),
    });
    const client = new ChunkedGraphClient({ server, rootTimeoutMs });
    const { json } = await client.info(signal);
    const redirect = redirectOf(json, at.path.infoUrl);
    if (redirect === undefined) return { server, client, json, redirects: trail.steps };
    const next = graphNamed(redirect, { ...at, address: server.address });
    trail.goTo(placeOfTable(next), at.path.infoUrl);
    at = next;
  }
}

/** In one spelling, whichever of the many was used. */
const placeOfTable = ({ path: { infoUrl } }: NextGraph): string =>
  `graphene://${infoUrl.replace(/\/info$/, '')}`;
