/** What the answer to an edit means, and what a redo does. The graph of a mocked server tells what is right. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openGraphene, type GraphPoint } from '../../../lib/index.ts';
import { buildWorld, serveWorld, type Fault, type ServedWorld, type World } from '../../../mocks/index.ts';

let world: World, served: ServedWorld, volume: Awaited<ReturnType<typeof openGraphene>>;
beforeEach(async () => {
  world = buildWorld({
    labels: (x) => BigInt(1 + Math.floor(x / 10)),
    size: [30, 8, 8],
    chunkSize: [8, 8, 8],
  });
  served = await serveWorld(world);
  volume = await openGraphene(served.cloudPath, { token: null, allowEdits: true });
});
afterEach(async () => {
  await volume.close();
  await served.close();
});

const at = (x: number): GraphPoint => ({ id: world.supervoxelAt([x, 3, 3]), nm: [x + 0.5, 3.5, 3.5] });
const rootOf = (x: number): number => world.graph.graph.rootNow(world.graph.graph.supervoxel(at(x).id));
const areOne = (): boolean => rootOf(5) === rootOf(15);
const merge = () => volume.graph.merge(at(5), at(15));
const split = () => volume.graph.split([at(5)], [at(15)], { mincut: false });

describe('redo', () => {
  test('of an operation that was not undone does nothing, even right after the operation', async () => {
    const { operationId } = await merge();
    const before = world.graph.operations.length;
    expect(await volume.graph.redo(operationId)).toEqual({ done: false });
    expect([world.graph.operations.length, areOne()]).toEqual([before, true]);
  });

  test('does not reverse what another operation has corrected', async () => {
    const { operationId } = await merge();
    const cut = await split();
    expect(await volume.graph.redo(operationId)).toEqual({ done: false });
    expect(areOne()).toBe(false);
    await merge();
    expect(await volume.graph.redo(cut.operationId)).toEqual({ done: false });
    expect(areOne()).toBe(true);
  });

  test('repeats an operation that was undone, once', async () => {
    const { operationId } = await merge();
    for (let turn = 0; turn < 2; turn++) {
      await volume.graph.undo(operationId);
      expect(areOne()).toBe(false);
      expect(await volume.graph.redo(operationId)).toMatchObject({ done: true });
      expect(areOne()).toBe(true);
      expect(await volume.graph.redo(operationId)).toEqual({ done: false });
    }
  });

  test('of an undo undoes the operation again if it was redone, and only then', async () => {
    const { operationId } = await merge(),
      undone = await volume.graph.undo(operationId);
    if (!undone.done) throw new Error('not undone');
    expect(await volume.graph.redo(undone.operationId)).toEqual({ done: false });
    expect(areOne()).toBe(false);
    await volume.graph.redo(operationId);
    expect(areOne()).toBe(true);
    expect(await volume.graph.redo(undone.operationId)).toMatchObject({ done: true });
    expect(areOne()).toBe(false);
  });

  test('of an operation that the log does not have is UNKNOWN_ID, and nothing is sent', async () => {
    await expect(volume.graph.redo(77)).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
      message: expect.stringContaining('77') as unknown,
    });
    expect(world.graph.log.requests.filter(({ path }) => path.endsWith('/redo'))).toEqual([]);
  });
});

describe('an edit that was answered by', () => {
  const answered = (status: number): Fault => ({ match: /\/merge$/, status, body: '{"message":"no"}' });
  const calls = [
    ['merge', () => merge()],
    [
      'graph.request',
      () =>
        volume.graph.request('merge', {
          method: 'POST',
          body: [at(5), at(15)].map(({ id, nm }) => [id, ...nm]),
        }),
    ],
  ] as const;

  test.each(
    [
      201, 202, 204, 206, 302, 307, 402, 406, 408, 409, 410, 425, 429, 499, 500, 501, 502, 503, 504, 507, 520,
      522, 524, 529,
    ].flatMap((status) => calls.map(([name, call]) => [status, name, call] as const)),
  )('%d is uncertain, and not sent again: %s', async (status, _name, call) => {
    world.graph.faults.push(answered(status));
    await expect(call()).rejects.toMatchObject({ code: 'EDIT_UNCERTAIN', status });
    expect(world.graph.log.requests.filter(({ path }) => path.endsWith('/merge'))).toHaveLength(1);
  });

  test.each([400, 401, 403, 404, 405, 411, 413, 414, 415, 431])(
    'status %d was refused: nothing changed',
    async (status) => {
      world.graph.faults.push(answered(status));
      const error = await merge().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'GraphError', status });
      expect((error as { code: string }).code).not.toBe('EDIT_UNCERTAIN');
      expect(world.graph.log.requests.filter(({ path }) => path.endsWith('/merge'))).toHaveLength(1);
    },
  );
});
