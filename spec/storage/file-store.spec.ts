/**
 * Chunks that CloudVolume 12.15.2 wrote with `compress="xz"`, "bz2" and "gzip". A stored chunk is never
 * reported as missing.
 */
import { expect, test } from '@jest/globals';
import { openPrecomputed, statusText } from '../../lib/index.ts';
import { FileStore } from '../../lib/storage/file-store.ts';

const FOLDER = 'spec/fixtures/storage/suffixes';

test.each([
  ['0-4_0-4_0-4', 'xz'],
  ['4-8_0-4_0-4', 'bz2'],
  ['0-4_4-8_0-4', 'gzip'],
])('the file of chunk %s is found by its suffix: %s', async (key, contentEncoding) =>
  expect(await new FileStore(FOLDER).read(`8_8_40/${key}`)).toMatchObject({ contentEncoding }),
);

test('.xz is read; .bz2 fails with an error that names the encoding', async () => {
  await using volume = await openPrecomputed(FOLDER);
  const { values, status, rows } = await volume
    .scatteredPoints(
      [
        [1, 2, 3],
        [6, 1, 1],
        [6, 6, 1],
      ],
      { onError: 'status' },
    )
    .then((result) => ({ ...result, rows: [...result.rows()] }));
  expect([...status].map(statusText)).toEqual(['ok', 'failed', 'ok']);
  expect([...values]).toEqual([1000000000000010n, 0n, 1000000000000054n]);
  expect(rows[1].error).toMatchObject({
    name: 'ChunkError',
    cause: { name: 'DecodeError', code: 'UNSUPPORTED' },
  });
  expect(rows[1].error!.message).toMatch(/8_8_40\/4-8_0-4_0-4: content encoding "bz2" is not supported/);
});
