import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import {
  ReaderClosedError,
  readFileBytes,
  readInputStream,
  streamSink,
} from '../../../lib/tables/files/byte-streams.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

const text = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
};

describe('sources', () => {
  test('reads a file', async () => {
    await writeFile(join(folder, 'a'), 'some text');
    expect(await text(readFileBytes(join(folder, 'a')))).toBe('some text');
  });

  test('names the file that it cannot read', async () => {
    const path = join(folder, 'none');
    await expect(text(readFileBytes(path))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: `${path} cannot be read: no such file or directory (ENOENT)`,
    });
  });

  test('an abort ends the wait for standard input', async () => {
    const stream = new PassThrough();
    const controller = new AbortController();
    const reading = text(readInputStream(stream, controller.signal));
    stream.write('some');
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('streamSink', () => {
  test('waits until the reader takes more', async () => {
    const waiting: (() => void)[] = [];
    const sink = streamSink(
      new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void waiting.push(done) }),
    );
    let done = false;
    const write = sink.write(Buffer.from('one')).then(() => void (done = true));
    await Promise.resolve();
    expect(done).toBe(false);
    waiting[0]();
    await write;
    expect(done).toBe(true);
  });

  test('distinguishes a reader that closed the stream from other errors', async () => {
    const failing = (code: string, errno?: number): Writable =>
      new Writable({
        write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code, errno })),
      });
    await expect(streamSink(failing('EPIPE')).write(Buffer.from('one'))).rejects.toBeInstanceOf(
      ReaderClosedError,
    );
    await expect(streamSink(failing('EIO')).write(Buffer.from('one'))).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: 'standard output cannot be written: EIO',
    });
    const full = streamSink(failing('ENOSPC', -constants.errno.ENOSPC), { name: 'standard error' });
    await expect(full.write(Buffer.from('one'))).rejects.toMatchObject({
      message: 'standard error cannot be written: no space left on device (ENOSPC)',
    });
  });
});
