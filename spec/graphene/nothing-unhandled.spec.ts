/**
 * Failures and aborts while a cached shard index is revalidated. Jest fails a test with an unhandled
 * rejection, so each test waits long enough for one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openPrecomputed } from '../../lib/graphene/open-and-resolve.ts';
import { buildPrecomputed, createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { nextTurn } from '../support/stub-store.ts';

let folder: string;
let served: ServedMocks | undefined;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-unhandled-'))));
afterEach(async () => {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  await served?.close();
  served = undefined;
  await rm(folder, { recursive: true, force: true });
});

const quiet = { warn: (): void => undefined };

describe('the revalidation of a cached shard index', () => {
  test.each(['status', 'abort', 'timeout'] as const)(
    'leaves no unhandled rejection when it ends by %s',
    async (how) => {
      const { files } = buildPrecomputed({
        labels: () => 7n,
        size: [64, 8, 8],
        chunkSize: [4, 4, 4],
        sharding: { minishard_bits: 1, shard_bits: 0 },
      });
      const bucket = createMockBucket({ files });
      served = await serveMocks({ '/v': bucket });
      const url = `${served.url}/v`;
      {
        await using first = await openPrecomputed(url, { cacheDir: folder, retries: 0, logger: quiet });
        await first.scatteredPoints([
          [1, 1, 1],
          [5, 1, 1],
        ]);
      }
      await using second = await openPrecomputed(url, { cacheDir: folder, retries: 0, logger: quiet });
      bucket.faults.push({ match: /shard/, ...(how === 'status' ? { status: 500 } : { stall: true }) });
      bucket.log.requests.length = 0;
      const controller = new AbortController();
      const points = [
        [9, 1, 1],
        [13, 1, 1],
      ]; // their chunks are not cached, but the indices are
      const answer = second.scatteredPoints(points, {
        onError: 'status',
        signal: controller.signal,
        timeoutMs: how === 'timeout' ? 50 : undefined,
      });
      if (how === 'abort') {
        while (!bucket.log.requests.some(({ path }) => path.endsWith('.shard'))) await nextTurn();
        setImmediate(() => controller.abort());
        await expect(answer).rejects.toThrow('aborted');
      } else expect([...(await answer).status]).toEqual([8, 8]);
    },
  );
});
