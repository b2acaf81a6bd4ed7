import { describe, expect, test } from '@jest/globals';
import { isDescriptorShortage, retryOnShortage } from '../../lib/base/descriptor-shortage.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('retryOnShortage', () => {
  /** Runs work that fails with each of `failures` in turn, and records the pauses. */
  const attempt = async (
    failures: readonly Error[],
    signal?: AbortSignal,
  ): Promise<{ result: unknown; pauses: number[]; begun: number }> => {
    const pauses: number[] = [];
    let begun = 0;
    const work = (): string => {
      const error = failures[begun++];
      if (error) throw error;
      return 'done';
    };
    const wait = (ms: number): Promise<void> => (pauses.push(ms), Promise.resolve());
    const result = await retryOnShortage(work, { signal, wait, random: () => 1 }).catch(
      (error: unknown) => error,
    );
    return { result, pauses, begun };
  };

  test('does not pause if nothing fails', async () =>
    expect(await attempt([])).toEqual({ result: 'done', pauses: [], begun: 1 }));
  test('waits longer each time, up to 2 s, and gives up after 8 retries', async () => {
    expect(await attempt([failure('EMFILE'), failure('ENFILE')])).toEqual({
      result: 'done',
      pauses: [50, 100],
      begun: 3,
    });
    const all = Array.from({ length: 20 }, () => failure('EMFILE'));
    expect(await attempt(all)).toEqual({
      result: all[8],
      pauses: [50, 100, 200, 400, 800, 1600, 2000, 2000],
      begun: 9,
    });
  });
  test('does not retry other failures', async () =>
    expect(await attempt([failure('ENOENT')])).toMatchObject({
      result: { code: 'ENOENT' },
      pauses: [],
      begun: 1,
    }));
  test('rejects with the reason of an abort', async () => {
    const abort = new AbortController(),
      reason = new Error('enough');
    const never = retryOnShortage(
      () => {
        throw failure('EMFILE');
      },
      { signal: abort.signal, wait: () => new Promise<void>(() => undefined) },
    );
    abort.abort(reason);
    await expect(never).rejects.toBe(reason);
    expect(await attempt([], abort.signal)).toEqual({ result: reason, pauses: [], begun: 0 });
  });
  test.each([
    [failure('EMFILE'), true],
    [failure('ENFILE'), true],
    [failure('ENOSPC'), false],
    [undefined, false],
    [null, false],
    ['EMFILE', false],
  ])('%s is a shortage: %s', (error, is) => expect(isDescriptorShortage(error)).toBe(is));
});
