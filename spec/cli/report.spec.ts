import { describe, expect, test } from '@jest/globals';
import { PassThrough, Writable } from 'node:stream';
import { stripControls, Report } from '../../lib/cli/report.ts';

function capture(env: Record<string, string> = {}, isTTY = false): { report: Report; text: () => string } {
  const parts: string[] = [];
  const stderr = Object.assign(
    new Writable({ write: (chunk: Buffer, _encoding, done) => (parts.push(String(chunk)), done()) }),
    { isTTY },
  );
  const report = new Report({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    env,
    signal: new AbortController().signal,
  });
  return { report, text: () => parts.join('') };
}

describe('Report', () => {
  test('prints an error with its causes and without its stack', () => {
    const { report, text } = capture();
    report.error(new Error('no chunk', { cause: new Error('no disk', { cause: new Error('no disk') }) }));
    expect(text()).toBe('error: no chunk: no disk\n');
  });

  test('shows the stack when debugging', () => {
    const { report, text } = capture({ GRAPHENE_POINTS_DEBUG: '1' });
    report.error(new Error('no chunk'));
    expect(text()).toMatch(/^error: no chunk\nError: no chunk\n +at /);
  });

  test('replaces control characters in text from servers', () => {
    const { report, text } = capture();
    report.warn('a\x1b[31mb\r\nerror: c\x9b\u202ed\0é');
    expect(text()).toBe('warning: a [31mb  error: c  d é\n');
    expect(stripControls('tab\there\u2028')).toBe('tab here ');
  });

  test('shows a progress bar on a terminal only, and removes it', async () => {
    expect(await capture().report.startProgress()).toBeUndefined();
    const { report, text } = capture({}, true);
    const onProgress = (await report.startProgress())!;
    onProgress({ rows: 1000, chunksDone: 0, chunks: 40 });
    onProgress({ rows: 1000, chunksDone: 40, chunks: 40 });
    report.warn('careful');
    onProgress({ rows: 2000, chunksDone: 3, chunks: 50 });
    report.done();
    onProgress({ rows: 2000, chunksDone: 4, chunks: 50 });
    report.line('2000 rows');
    // Before each line, the bar returns to its place and clears it. When it is drawn again, \x1b7 saves its
    // place.
    const [first, second, last] = text().split(/warning: careful\n|2000 rows\n/);
    expect(first).toMatch(/^\x1b7.*0\/40 chunks of rows up to 1000.*\x1b8\x1b\[1G\x1b\[2K$/s);
    expect(second).toMatch(/^\x1b7.*3\/50 chunks of rows up to 2000.*\x1b8\x1b\[1G\x1b\[2K$/s);
    expect(last).toBe('');
  });
});
