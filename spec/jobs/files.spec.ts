import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileSink, ReaderGone, readFileBytes, readStream, streamSink } from '../../lib/jobs/files.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

const text = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
};

describe('fileSink', () => {
  test('writes beside the file and takes its place at the end', async () => {
    const path = join(folder, 'a.csv');
    await writeFile(path, 'before');
    const sink = await fileSink(path);
    await sink.write(Buffer.from('one '));
    await sink.write(Buffer.from('two'));
    expect([await readFile(path, 'utf8'), await readFile(`${path}.partial`, 'utf8')]).toEqual(['before', 'one two']);
    await sink.finish();
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['one two', ['a.csv']]);
  });

  test.each([
    [true, ['a.csv.partial']],
    [false, []],
  ])('abandoned with keep %p leaves %j', async (keep, left) => {
    const sink = await fileSink(join(folder, 'a.csv'));
    await sink.write(Buffer.from('one'));
    expect(await sink.abandon(keep)).toBe(keep ? join(folder, 'a.csv.partial') : undefined);
    expect(await readdir(folder)).toEqual(left);
  });

  test('abandoned after all, keeps what is finished', async () => {
    const sink = await fileSink(join(folder, 'a.csv'));
    await sink.finish();
    await sink.abandon(false);
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  test('never renames over what is no regular file', async () => {
    const path = join(folder, 'null');
    await symlink('/dev/null', path);
    const sink = await fileSink(path);
    await sink.write(Buffer.from('one'));
    await sink.finish();
    expect(await readdir(folder)).toEqual(['null']);
  });

  test('says which file it cannot write', async () => {
    const path = join(folder, 'none', 'a.csv');
    await expect(fileSink(path)).rejects.toMatchObject({ code: 'UNREADABLE', message: `${path}.partial cannot be written: no such file or directory (ENOENT)` });
    await expect(fileSink(path, '--stats')).rejects.toMatchObject({ message: `--stats ${path}.partial cannot be written: no such file or directory (ENOENT)` });
    await mkdir(join(folder, 'b.csv'));
    await expect(fileSink(join(folder, 'b.csv'))).rejects.toMatchObject({ code: 'UNREADABLE' });
  });
});

describe('sources', () => {
  test('reads a file', async () => {
    await writeFile(join(folder, 'a'), 'some text');
    expect(await text(readFileBytes(join(folder, 'a')))).toBe('some text');
  });

  test('says which file it cannot read', async () => {
    const path = join(folder, 'none');
    await expect(text(readFileBytes(path))).rejects.toMatchObject({ code: 'UNREADABLE', message: `${path} cannot be read: no such file or directory (ENOENT)` });
  });

  test('an abort ends the wait for standard input', async () => {
    const stream = new PassThrough();
    const controller = new AbortController();
    const reading = text(readStream(stream, controller.signal));
    stream.write('some');
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('streamSink', () => {
  test('waits until the reader takes more', async () => {
    const waiting: (() => void)[] = [];
    const sink = streamSink(new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void waiting.push(done) }));
    let done = false;
    const write = sink.write(Buffer.from('one')).then(() => void (done = true));
    await Promise.resolve();
    expect(done).toBe(false);
    waiting[0]();
    await write;
    expect(done).toBe(true);
  });

  test('tells a reader that left from other errors', async () => {
    const failing = (code: string, errno?: number): Writable =>
      new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code, errno })) });
    await expect(streamSink(failing('EPIPE')).write(Buffer.from('one'))).rejects.toBeInstanceOf(ReaderGone);
    await expect(streamSink(failing('EIO')).write(Buffer.from('one'))).rejects.toMatchObject({ code: 'UNREADABLE', message: 'standard output cannot be written: EIO' });
    const full = streamSink(failing('ENOSPC', -constants.errno.ENOSPC), 'standard error');
    await expect(full.write(Buffer.from('one'))).rejects.toMatchObject({ message: 'standard error cannot be written: no space left on device (ENOSPC)' });
  });
});
