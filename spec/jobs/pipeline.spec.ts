import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { runPipeline } from '../../lib/jobs/pipeline.ts';

interface Step {
  finish(): void;
  fail(error: Error): void;
}

/** A pipeline over batches 1 to `count`. Each of its steps waits until the spec ends it. */
function controlled(count: number, signal?: AbortSignal, looksAhead?: boolean) {
  const begun: string[] = [];
  const steps = new Map<string, Step>();
  const aborted: string[] = [];
  const step = <T>(name: string, result: T): Promise<T> => {
    begun.push(name);
    return new Promise((finish, fail) =>
      steps.set(name, { finish: () => finish(result), fail: (error) => fail(error) }),
    );
  };
  async function* batches(): AsyncGenerator<number> {
    for (let batch = 1; batch <= count; batch++) yield await step(`read ${batch}`, batch);
  }
  const done = runPipeline(
    {
      batches: batches(),
      lookUp: (batch: number, batchSignal) =>
        new Promise<string>((resolve, reject) => {
          batchSignal.addEventListener('abort', () => {
            aborted.push(`look up ${batch}`);
            reject(batchSignal.reason as Error);
          });
          step(`look up ${batch}`, `answers ${batch}`).then(resolve, reject);
        }),
      write: (batch, answers) => {
        expect(answers).toBe(`answers ${batch}`);
        return step(`write ${batch}`, undefined);
      },
      looksAhead,
    },
    signal,
  );
  const settled = done.then(
    () => 'done',
    (error: Error) => error.message,
  );
  /** Ends a step and waits for its consequences. */
  const end = async (name: string, error?: Error): Promise<void> => {
    const found = steps.get(name)!;
    if (error) found.fail(error);
    else found.finish();
    await turn();
  };
  return { begun, aborted, settled, end };
}

describe('runPipeline', () => {
  test('reads batch n + 1 while n is looked up and n - 1 is written', async () => {
    const { begun, settled, end } = controlled(4);
    await end('read 1');
    expect(begun).toEqual(['read 1', 'read 2', 'look up 1']);
    await end('read 2');
    await end('look up 1');
    expect(begun.slice(3)).toEqual(['write 1', 'read 3', 'look up 2']);
    await end('read 3');
    await end('look up 2'); // its answers wait for the batch before it
    expect(begun).toHaveLength(6);
    await end('write 1');
    expect(begun.slice(6)).toEqual(['write 2', 'read 4', 'look up 3']);
    for (const name of ['read 4', 'look up 3', 'write 2', 'look up 4', 'write 3', 'write 4']) await end(name);
    expect(await settled).toBe('done');
  });

  test.each([false, true])('keeps order and at most three batches; looks ahead: %p', async (looksAhead) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(9), async (scheduler, count) => {
        const written: number[] = [];
        let read = 0,
          most = 0,
          lookingUp = 0,
          writing = 0;
        const atMost = async (n: number, running: number, step: () => Promise<unknown>): Promise<void> => {
          expect(running).toBeLessThanOrEqual(n);
          await step();
        };
        async function* batches(): AsyncGenerator<number> {
          for (let batch = 0; batch < count; batch++) {
            read++; // the batch is in memory from here on
            most = Math.max(most, read - written.length);
            await scheduler.schedule(Promise.resolve());
            yield batch;
          }
        }
        const running = runPipeline(
          {
            batches: batches(),
            async lookUp(batch) {
              lookingUp++;
              await atMost(looksAhead ? 2 : 1, lookingUp, () => scheduler.schedule(Promise.resolve()));
              lookingUp--;
              return -batch;
            },
            async write(batch, answer) {
              expect(answer).toBe(-batch);
              writing++;
              await atMost(1, writing, () => scheduler.schedule(Promise.resolve()));
              writing--;
              written.push(batch);
            },
            looksAhead,
          },
          undefined,
        );
        await scheduler.waitFor(running);
        expect(written).toEqual(Array.from({ length: count }, (_, batch) => batch));
        expect(most).toBeLessThanOrEqual(3);
      }),
      { seed: 7 },
    );
  });

  test('writes the batches that were read before a read error', async () => {
    const { begun, settled, end } = controlled(9);
    await end('read 1');
    await end('read 2', new Error('cut'));
    await end('look up 1');
    await end('write 1');
    expect(await settled).toBe('cut');
    expect(begun).not.toContain('look up 2');
  });

  test('writes the batches before a failed look-up, and does not wait for the source', async () => {
    const { begun, settled, end } = controlled(9);
    for (const name of ['read 1', 'read 2', 'look up 1']) await end(name);
    await end('look up 2', new Error('refused'));
    expect(begun.at(-1)).toBe('look up 2');
    await end('write 1'); // read 3 is never finished
    expect(await settled).toBe('refused');
  });

  test('looks up batch n + 1 as soon as it is read, if told to', async () => {
    const { begun, settled, end } = controlled(3, undefined, true);
    await end('read 1');
    await end('read 2');
    expect(begun).toEqual(['read 1', 'look up 1', 'read 2', 'look up 2']);
    await end('look up 2'); // its answers wait for those of the batch before it
    expect(begun).toHaveLength(4);
    await end('look up 1');
    expect(begun.slice(4)).toEqual(['write 1', 'read 3']);
    for (const name of ['read 3', 'write 1', 'look up 3', 'write 2', 'write 3']) await end(name);
    expect(await settled).toBe('done');
  });

  test('ends the look-up ahead when the one before fails, and begins no other', async () => {
    const { aborted, begun, settled, end } = controlled(9, undefined, true);
    for (const name of ['read 1', 'read 2', 'look up 1', 'write 1']) await end(name);
    await end('look up 2', new Error('refused'));
    await end('read 3');
    expect([aborted, await settled, begun.at(-1)]).toEqual([['look up 1', 'look up 2'], 'refused', 'read 3']);
    const next = controlled(9, undefined, true);
    for (const name of ['read 1', 'read 2']) await next.end(name);
    await next.end('look up 1', new Error('refused'));
    expect([next.aborted, await next.settled]).toEqual([['look up 1', 'look up 2'], 'refused']);
  });

  test('stops look-ups when a batch cannot be written, and throws the error', async () => {
    const { aborted, settled, end } = controlled(9);
    for (const name of ['read 1', 'read 2', 'look up 1']) await end(name);
    await end('write 1', new Error('the disk is full'));
    expect([aborted, await settled]).toEqual([['look up 1', 'look up 2'], 'the disk is full']);
  });

  test('does not wait for the source when a batch cannot be written', async () => {
    const { settled, end } = controlled(9);
    for (const name of ['read 1', 'look up 1']) await end(name);
    await end('write 1', new Error('the disk is full'));
    expect(await settled).toBe('the disk is full');
  });

  test('ends all look-ups and waits on an abort, and writes the batch before', async () => {
    const interrupt = new AbortController();
    const { begun, settled, end } = controlled(9, interrupt.signal);
    for (const name of ['read 1', 'read 2', 'look up 1']) await end(name);
    interrupt.abort(new Error('interrupted'));
    await turn();
    await end('write 1');
    expect(await settled).toBe('interrupted');
    expect(begun).not.toContain('write 2');
    const waiting = controlled(9, AbortSignal.abort(new Error('enough')));
    expect(await waiting.settled).toBe('enough');
  });
});
