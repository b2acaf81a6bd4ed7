import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { JobInput } from '../../lib/table-files/job-input.ts';
import { fileInput, streamInput } from '../../lib/tables/files/table-input.ts';

const folder = mkdtempSync(join(tmpdir(), 'job-input-')),
  path = join(folder, 't.csv');
afterAll(() => rmSync(folder, { recursive: true }));

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('reads a file twice, and tells how much of it was read', async () => {
  writeFileSync(path, 'x,y,z\n');
  const input = new JobInput(fileInput(path), path, folder);
  expect(input.fractionRead()).toBeUndefined();
  expect(await textOf(input.source().bytes())).toBe('x,y,z\n');
  expect(input.fractionRead()).toBe(1);
  expect(await textOf(input.again().bytes())).toBe('x,y,z\n');
  expect(await input.again().file()).toBe(path);
  await input.close();
});

test('refuses a file that has changed, before or while it is read again', async () => {
  writeFileSync(path, 'x,y,z\n');
  const input = new JobInput(fileInput(path), path);
  await textOf(input.source().bytes());
  const again = input.again().bytes()[Symbol.asyncIterator]();
  await again.next();
  appendFileSync(path, '1,2,3\n');
  const changed = {
    code: 'UNREADABLE',
    message: `${path} has changed while it was read: run the command again`,
  };
  const rest = (async () => {
    while (!(await again.next()).done);
  })();
  await expect(rest).rejects.toMatchObject(changed);
  await expect(textOf(input.again().bytes())).rejects.toMatchObject(changed);
  await expect(input.again().file()).rejects.toMatchObject(changed);
  await input.close();
});

test('keeps a stream, so that it can be read again', async () => {
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a,');
    yield Buffer.from('b\n');
  };
  const input = new JobInput(streamInput('standard input', read), undefined, folder);
  expect(await textOf(input.source().bytes())).toBe('a,b\n');
  expect(input.fractionRead()).toBeUndefined();
  expect(await textOf(input.again().bytes())).toBe('a,b\n');
  await input.close();
});
