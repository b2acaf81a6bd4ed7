/** Rules for all calls of `volume.graph`: they copy their input at once, check their options, and end in time. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GRAPH_METHODS } from '../../../lib/chunkedgraph/api/graph-methods.ts';
import { ChunkedGraph } from '../../../lib/chunkedgraph/api/chunked-graph.ts';
import type { HttpRequest } from '../../../lib/http/http-request.ts';
import { fakeTimeouts } from '../../support/fake-timeouts.ts';
import { nextTurn } from '../../support/stub-store.ts';
import { graphOf, rootSource, type Answer } from './replayed-graph.ts';

type Name = keyof typeof GRAPH_METHODS;
const NAMES = Object.keys(GRAPH_METHODS) as Name[];

const A = 288230376151712042n,
  B = 288230376151712050n,
  SUPERVOXEL = (1n << 56n) | 5n,
  LEVEL2 = 2n << 56n;
const many = (): BigUint64Array => BigUint64Array.of(A, B);
const point = (id = A): unknown => ({ id, nm: [8, 16, 40] });
const then = (): Date => new Date('2024-06-05T10:10:01.203Z'),
  earlier = (): Date => new Date('2024-01-05T10:10:01.203Z');
const box = (): unknown => ({ min: [8, 8, 4], max: Float64Array.of(80, 80, 40), resolution: [4, 4, 40] });

/** The arguments and options of each call, with values that a caller could change later. */
const INPUTS: Record<Name, () => unknown[]> = {
  roots: () => [BigUint64Array.of(SUPERVOXEL, SUPERVOXEL + 1n), { timestamp: then(), stopLayer: 2 }],
  root: () => [SUPERVOXEL, { timestamp: then(), stopLayer: 2 }],
  isLatestRoots: () => [many(), { timestamp: then() }],
  rootTimestamps: () => [many(), { timestamp: then(), latest: true }],
  validNodes: () => [[A, B], { from: earlier(), to: then() }],
  leaves: () => [A, { bounds: box(), stopLayer: 2 }],
  leavesMany: () => [many(), { bounds: box(), stopLayer: 2 }],
  children: () => [A],
  l2ChunkChildren: () => [LEVEL2, { timestamp: then() }],
  subgraph: () => [A, { bounds: box() }],
  level2Graph: () => [A, { bounds: box() }],
  minimalCoveringNodes: () => [many(), { timestamp: then() }],
  findPath: () => [point(), point(B), { precise: true }],
  lineageGraph: () => [[A, B], { from: earlier(), to: then() }],
  pastIdMapping: () => [many(), { timestampPast: earlier() }],
  deltaRoots: () => [{ from: earlier(), to: then(), raw: false }],
  changeLog: () => [A, { filtered: false }],
  tabularChangeLog: () => [A, { filtered: false }],
  tabularChangeLogs: () => [many(), { filtered: false }],
  mergeLog: () => [A],
  operations: () => [{ from: earlier(), to: then() }],
  userOperations: () => ['7', { from: earlier(), to: then(), includeUndone: true }],
  operationDetails: () => [[1, 2]],
  oldestTimestamp: () => [],
  lastEdit: () => [A],
  latestRoots: () => [many(), { timestamp: then() }],
  originalRoots: () => [[A, B], { timestamp: earlier() }],
  suggestLatestRoots: () => [many(), { timestamp: then(), by: 'level2' }],
  merge: () => [point(), point(B), { remesh: false, priority: true }],
  split: () => [[point(), point()], [point(B)], { mincut: false, remesh: false }],
  splitPreview: () => [[point(), point()], [point(B)]],
  undo: () => [7, { remesh: false }],
  redo: () => [7, { priority: false }],
  versions: () => [],
  request: () => [
    'valid_nodes',
    { query: { start_timestamp: 1 }, body: { node_ids: [A, BigUint64Array.of(B)] } },
  ],
};
/** Calls with only numbers, texts and bigints, which a caller cannot change later. */
const UNCHANGEABLE: Name[] = ['children', 'mergeLog', 'oldestTimestamp', 'lastEdit', 'versions'];

/** Changes the contents of lists, arrays, dates and objects. */
function overwrite(value: unknown): void {
  if (value instanceof Date) value.setTime(value.getTime() + 86_400_000);
  if (typeof value !== 'object' || value === null) return;
  const parts = value as Record<string, unknown>;
  for (const [key, part] of Object.entries(parts)) {
    if (typeof part === 'bigint') parts[key] = part + 1n;
    else if (typeof part === 'number') parts[key] = part + 1;
    else if (typeof part === 'boolean') parts[key] = !part;
    else overwrite(part);
  }
}

/** Answers that make calls continue with their later requests. */
function answer({ url, body }: HttpRequest): Answer {
  const path = new URL(url).pathname,
    ids = (
      Buffer.from(body ?? [])
        .toString()
        .match(/\d{10,}/g) ?? []
    ).map(BigInt);
  const list = <T>(value: T): string => JSON.stringify(ids.map(() => value));
  if (path.endsWith('is_latest_roots')) return { body: `{"is_latest":${list(path.length % 2 === 0)}}` };
  if (path.endsWith('root_timestamps')) return { body: `{"timestamp":${list(1578441600)}}` };
  if (path.endsWith('leaves_many'))
    return { body: `{${ids.map((id) => `"${id}":[${LEVEL2 + (id % 1000n)}]`).join()}}` };
  if (path.endsWith('delta_roots')) return { body: `{"old_roots":[${A}],"new_roots":[${B}]}` };
  return { body: 'x' };
}

function spied(): { graph: ChunkedGraph; seen: unknown[] } {
  const seen: unknown[] = [];
  const known = rootSource((id) => (id % 2n === 0n ? A : B));
  const roots = {
    lookUp: async (...[ids, question]: Parameters<typeof known.lookUp>) => {
      await nextTurn();
      seen.push([[...ids], question?.timestampMs, question?.stopLayer]);
      return known.lookUp(ids, question);
    },
  };
  const { graph } = graphOf(
    async (request) => {
      await nextTurn();
      seen.push([request.method, request.url, Buffer.from(request.body ?? []).toString()]);
      return answer(request);
    },
    { allowEdits: true, roots },
  );
  return { graph, seen };
}

const call = (graph: ChunkedGraph, name: Name, args: unknown[]): Promise<unknown> =>
  (graph[name] as (...args: unknown[]) => Promise<unknown>).apply(graph, args);
const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
/** Waits until a call has ended and its other requests have arrived. */
async function ended(promise: Promise<unknown>): Promise<void> {
  await outcome(promise);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

test('the table has every call', () => {
  const properties = Object.getOwnPropertyNames(ChunkedGraph.prototype).filter(
    (name) => name !== 'constructor',
  );
  expect(properties.sort()).toEqual([...NAMES].sort());
});

describe('input', () => {
  test.each(NAMES)('of %s is copied before it returns', async (name) => {
    const right = spied(),
      late = spied(),
      other = spied();
    await ended(call(right.graph, name, INPUTS[name]()));
    const args = INPUTS[name](),
      running = ended(call(late.graph, name, args));
    overwrite(args);
    await running;
    expect(right.seen.length).toBeGreaterThan(0);
    expect(late.seen).toEqual(right.seen);
    await ended(call(other.graph, name, args));
    // otherwise the case would test nothing
    if (!UNCHANGEABLE.includes(name)) expect(other.seen).not.toEqual(right.seen);
  });

  test.each<[what: string, body: () => Uint8Array | BigUint64Array]>([
    ['bytes', () => Uint8Array.of(1, 2, 3)],
    ['a Buffer', () => Buffer.from([1, 2, 3])],
    ['IDs', () => many()],
  ])('of request is copied, too, with %s as the body', async (_what, make) => {
    const { graph, seen } = spied(),
      { graph: second, seen: expected } = spied();
    await ended(second.request('x', { method: 'POST', body: make() }));
    const body = make(),
      running = ended(graph.request('x', { method: 'POST', body }));
    overwrite(body);
    await running;
    expect(seen).toEqual(expected);
  });

  test('is not copied with borrow: true, with the same result', async () => {
    for (const name of NAMES) {
      const right = spied(),
        borrowed = spied(),
        args = INPUTS[name](),
        { argumentCount: takes } = GRAPH_METHODS[name];
      await ended(call(right.graph, name, INPUTS[name]()));
      args[takes] = { ...(args[takes] as object), borrow: true };
      await ended(call(borrowed.graph, name, args));
      expect(borrowed.seen).toEqual(right.seen);
    }
    const { graph, seen } = spied(),
      ids = many(),
      running = ended(graph.roots(ids, { borrow: true }));
    ids.reverse();
    await running;
    expect((seen[0] as unknown[])[0]).toEqual([B, A]);
  });
});

describe('options', () => {
  const withOption = (name: Name, option: object | null): unknown[] => {
    const args = INPUTS[name](),
      { argumentCount: takes } = GRAPH_METHODS[name];
    args[takes] = option === null ? null : { ...(args[takes] as object), ...option };
    return args;
  };

  test.each(NAMES)('of %s are checked by name and type', async (name) => {
    const { graph, seen } = spied();
    const cases: [option: object | null, error: Error][] = [
      [{ timeout_ms: 5 }, new TypeError('there is no option "timeout_ms"; did you mean timeoutMs?')],
      [{ timeoutMs: '5' }, new TypeError('timeoutMs is a number, not "5"')],
      [{ timeoutMs: 0 }, new RangeError('timeoutMs must be a whole number from 1, not 0')],
      [{ timeoutMs: 2 ** 31 }, new RangeError('timeoutMs must be at most 2147483647, not 2147483648')],
      [{ signal: 'now' }, new TypeError('signal is an AbortSignal, not "now"')],
      [{ borrow: 1 }, new TypeError('borrow is true or false, not 1')],
      [null, new TypeError('options are an object, not null')],
    ];
    for (const [option, error] of cases)
      expect(await outcome(call(graph, name, withOption(name, option)))).toEqual(error);
    for (const option of Object.keys(GRAPH_METHODS[name].options).filter((one) => one !== 'body'))
      for (const value of [Symbol('odd'), null])
        expect([option, await outcome(call(graph, name, withOption(name, { [option]: value })))]).toEqual([
          option,
          expect.any(Error),
        ]);
    expect(await outcome(call(graph, name, withOption(name, { nonsense: true })))).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(/^there is no option "nonsense": options are /) as unknown,
    });
    expect(seen).toEqual([]);
  });

  test.each<[name: Name, option: object, error: Error]>([
    [
      'leaves',
      { bounds: { min: [0, 0, 0], maxx: [1, 1, 1] } },
      new TypeError('there is no option "maxx": options are min, max, resolution'),
    ],
    [
      'leaves',
      { bounds: [0, 0, 0, 1, 1, 1] },
      new TypeError('there is no option "0": options are min, max, resolution'),
    ],
    [
      'leavesMany',
      { bounds: { min: '0,0,0', max: [1, 1, 1] } },
      new TypeError('bounds.min must be three numbers along x, y, z'),
    ],
    [
      'subgraph',
      { bounds: { min: [0, 0], max: [1, 1, 1] } },
      new RangeError('bounds.min must be three finite numbers along x, y, z'),
    ],
    [
      'level2Graph',
      { bounds: { min: [0, 0, 0], max: [1, 1, 1], resolution: [1, 0, 1] } },
      new RangeError('bounds.resolution must be positive'),
    ],
    ['leaves', { bounds: 5 }, new TypeError('bounds is { min, max }, each of three numbers, not 5')],
    ['leaves', { stopLayer: '2' }, new TypeError('stopLayer is a number, not "2"')],
    ['leaves', { maxBytes: 0.5 }, new RangeError('maxBytes must be a whole number from 1, not 0.5')],
    ['rootTimestamps', { latest: 'yes' }, new TypeError('latest is true or false, not "yes"')],
    ['changeLog', { filtered: 0 }, new TypeError('filtered is true or false, not 0')],
    ['merge', { remesh: 'no' }, new TypeError('remesh is true or false, not "no"')],
    ['split', { minCut: false }, new TypeError('there is no option "minCut"; did you mean mincut?')],
    ['suggestLatestRoots', { by: 'mesh' }, new TypeError("by is 'level2' or 'supervoxels', not \"mesh\"")],
    ['request', { method: 'DELETE' }, new TypeError("method is 'GET' or 'POST', not \"DELETE\"")],
    ['request', { as: 'JSON' }, new TypeError("as is 'json', 'ids', 'text' or 'bytes', not \"JSON\"")],
    [
      'request',
      { query: 'a=b' },
      new TypeError('query is an object of texts, numbers and booleans, not "a=b"'),
    ],
    [
      'request',
      { query: { a: [1] } },
      new TypeError('query.a is a string, a number or a boolean, not an object'),
    ],
  ])('%s refuses %j', async (name, option, error) => {
    const { graph, seen } = spied();
    expect(await outcome(call(graph, name, withOption(name, option)))).toEqual(error);
    expect(seen).toEqual([]);
  });
});

describe('timeoutMs', () => {
  beforeEach(fakeTimeouts);
  afterEach(() => void jest.useRealTimers());

  const silent = ({ signal }: HttpRequest): Promise<Answer> =>
    new Promise((_resolve, reject) =>
      signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
    );
  const quietRoots = {
    lookUp: (_ids: BigUint64Array, question?: { signal?: AbortSignal }) =>
      new Promise<never>((_resolve, reject) =>
        question!.signal!.addEventListener('abort', () => reject(question!.signal!.reason as Error)),
      ),
  };

  test.each(NAMES)('ends %s, at any point', async (name) => {
    const { graph } = graphOf(silent, { allowEdits: true, roots: quietRoots });
    const args = INPUTS[name](),
      { argumentCount: takes } = GRAPH_METHODS[name];
    args[takes] = { ...(args[takes] as object), timeoutMs: 700 };
    const ended = outcome(call(graph, name, args));
    await jest.advanceTimersByTimeAsync(699);
    expect(await Promise.race([ended, nextTurn().then(() => 'waits')])).toBe('waits');
    await jest.advanceTimersByTimeAsync(1);
    const error = await ended,
      deadline = { name: 'DeadlineError', code: 'TIMEOUT', timeoutMs: 700 };
    if (['merge', 'split', 'undo'].includes(name))
      expect(error).toMatchObject({ code: 'EDIT_UNCERTAIN', cause: deadline });
    else expect(error).toMatchObject(deadline);
  });

  test('limits all requests of a call together', async () => {
    // Each request takes 400 ms: one is in time, all together are not.
    const { graph, requested } = graphOf(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return answer(request);
    });
    const ended = outcome(graph.deltaRoots({ from: earlier(), to: then(), timeoutMs: 500 }));
    await jest.advanceTimersByTimeAsync(500);
    expect(await ended).toMatchObject({ name: 'DeadlineError', timeoutMs: 500 });
    expect(requested.length).toBeGreaterThan(1);
    expect(requested.every(({ idleTimeoutMs }) => idleTimeoutMs === 600_000)).toBe(true);
  });

  test("defaults to the volume's, also for calls inside the call; a call's own may be longer", async () => {
    const { graph } = graphOf(silent, { timeoutMs: 300, roots: quietRoots });
    const short = outcome(graph.minimalCoveringNodes(many())),
      long = outcome(graph.minimalCoveringNodes(many(), { timeoutMs: 900 }));
    await jest.advanceTimersByTimeAsync(300);
    expect(await short).toMatchObject({ name: 'DeadlineError', timeoutMs: 300 });
    expect(await Promise.race([long, nextTurn().then(() => 'waits')])).toBe('waits');
    await jest.advanceTimersByTimeAsync(600);
    expect(await long).toMatchObject({ name: 'DeadlineError', timeoutMs: 900 });
  });

  test.each<[name: string, start: (graph: ChunkedGraph) => Promise<unknown>]>([
    ['merge', (graph) => call(graph, 'merge', INPUTS.merge())],
    ['request', (graph) => graph.request('merge', { method: 'POST', body: [] })],
  ])('of the volume does not end %s, because it is an edit', async (_name, start) => {
    let reply!: (answer: Answer) => void;
    const { graph } = graphOf(() => new Promise((resolve) => (reply = resolve)), {
      timeoutMs: 300,
      allowEdits: true,
    });
    const edit = start(graph);
    await jest.advanceTimersByTimeAsync(10_000);
    reply({ body: '{"operation_id":3,"new_root_ids":[]}' });
    await jest.advanceTimersByTimeAsync(1);
    expect(await edit).toBeDefined();
  });

  test('ends an edit that waits in the queue: it was not sent and has not happened', async () => {
    const { graph, requested } = graphOf(silent, { allowEdits: true });
    for (let k = 0; k < 4; k++) void outcome(graph.children(A));
    const edit = outcome(call(graph, 'merge', [point(), point(B), { timeoutMs: 50 }]));
    await jest.advanceTimersByTimeAsync(50);
    expect(await edit).toMatchObject({ name: 'DeadlineError', timeoutMs: 50 });
    expect(requested.filter(({ url }) => String(url).includes('merge'))).toEqual([]);
  });
});
