/** Creates a ChunkedGraph whose server gives recorded answers, or any others. */
import { GraphError } from '../../../lib/base/errors.ts';
import { ChunkedGraph } from '../../../lib/chunkedgraph/api/chunked-graph.ts';
import { Endpoints } from '../../../lib/chunkedgraph/api/endpoints.ts';
import { parseGraphInfo } from '../../../lib/chunkedgraph/ids/graph-info.ts';
import { parseGraphPath } from '../../../lib/chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../../lib/chunkedgraph/server/graph-server.ts';
import { RootOutcome, type RootSource } from '../../../lib/chunkedgraph/roots/root-source.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';
import type { HttpClient, HttpReply, HttpRequest } from '../../../lib/http/http-request.ts';
import { pcgGraph, recorded, type Recorded } from '../../../testing/pcg-graph.ts';

export const ORIGIN = 'https://graph.example.org';
/** "Now" for this graph, in ms since 1970. */
export const NOW = Date.parse('2026-11-22T12:00:00Z');

export type Answer = Partial<Omit<HttpReply, 'body'>> & { body?: Uint8Array | string };

export interface Replay {
  graph: ChunkedGraph;
  requested: HttpRequest[];
}

export function graphOf(
  answer: (request: HttpRequest, earlier: number) => Answer | Promise<Answer>,
  {
    allowEdits = false,
    roots,
    timestampMs,
    timeoutMs,
  }: { allowEdits?: boolean; roots?: RootSource; timestampMs?: number; timeoutMs?: number } = {},
): Replay {
  const requested: HttpRequest[] = [];
  const http: HttpClient = {
    async request(request) {
      const earlier = requested.push(request) - 1;
      await request.authorize?.({ method: request.method ?? 'GET', url: new URL(request.url), headers: {} });
      const { body = '', ...reply } = await answer(request, earlier);
      return {
        status: 200,
        headers: {},
        url: String(request.url),
        serverAddress: undefined,
        ...reply,
        body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      };
    },
    close() {},
  };
  const clock = new ServerClock({ clocks: { wall: () => NOW, steady: () => 0 } });
  const server = new GraphServer({
    http,
    path: parseGraphPath(`graphene://${ORIGIN}/segmentation/table/${pcgGraph.table}`),
    token: { token: 's3cr3t', from: 'CAVE_TOKEN' },
    clock,
  });
  const graph = new ChunkedGraph(
    {
      api: new Endpoints({ server }),
      graph: parseGraphInfo(pcgGraph.info, ORIGIN),
      info: pcgGraph.info,
      grid: { bounds: { min: [0, 0, 0], max: [128, 128, 128] }, resolution: [8, 8, 40] },
      roots: roots ?? {
        lookUp: () => Promise.reject(new GraphError('CONNECTION', 'not requested here', ORIGIN)),
      },
      windowClock: { now: () => NOW, settled: () => NOW - 180_000 },
      closeSignal: new AbortController().signal,
      allowEdits,
      timeoutMs,
    },
    timestampMs,
  );
  return { graph, requested };
}

/** A source of roots that computes each root from the ID. */
export const rootSource = (rootOf: (id: bigint) => bigint): RootSource => ({
  lookUp: async (ids, { timestampMs = NOW } = {}) => ({
    timestampMs,
    settled: true,
    rootIds: ids.map(rootOf),
    outcomes: new Uint8Array(ids.length).fill(RootOutcome.ok),
    failures: [],
    distinct: ids.length,
    requests: 1,
  }),
});

const named = new Map(recorded.map((one) => [one.name, one]));

export function recordedAs(name: string): Recorded {
  const found = named.get(name);
  if (!found) throw new Error(`nothing is recorded as ${name}`);
  return found;
}

/** The answer as it was sent. For status 500, the parts that were recorded. */
export function answerOf({ answer }: Recorded): Answer {
  const body =
    answer.body === undefined
      ? JSON.stringify({ code: answer.status, message: answer.message, traceback: ['File "secret.py"'] })
      : Buffer.from(answer.body, 'base64');
  return {
    status: answer.status,
    headers: {
      ...answer.headers,
      ...(answer.headers['used-bounds'] === undefined && { 'used-bounds': 'True' }),
    },
    body,
  };
}

/** Returns the recorded answers one after the other. */
export const replayOf = (names: string[], options?: Parameters<typeof graphOf>[1]): Replay =>
  graphOf((_request, earlier) => answerOf(recordedAs(names[Math.min(earlier, names.length - 1)])), options);
