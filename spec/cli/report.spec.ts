import { describe, expect, test } from '@jest/globals';
import { PassThrough, Writable } from 'node:stream';
import { stripControls, Report } from '../../lib/cli/report.ts';
import type { TableProgress } from '../../lib/jobs/job-types.ts';

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

  const AT: TableProgress = {
    pass: 'looking up',
    passNumber: 2,
    passes: 3,
    fraction: 0.25,
    rows: 1000,
    chunksDone: 10,
    bytes: 0,
    cacheHits: 0,
    rootRequests: 1,
    failures: 0,
  };

  test('shows a progress bar on a terminal, and removes it', async () => {
    const { report, text } = capture({}, true);
    let ms = 0;
    const onProgress = await report.startProgress(() => ms);
    onProgress(AT);
    ms = 2000;
    onProgress({ ...AT, fraction: 0.5, rows: 2000 });
    report.warn('careful');
    onProgress({ ...AT, fraction: 0.5, rows: 2000, bytes: 3e6 });
    report.done();
    onProgress(AT);
    report.line('2000 rows');
    // Before each line, the bar returns to its place and clears it. When it is drawn again, \x1b7 saves its
    // place.
    const [first, second, last] = text().split(/warning: careful\n|2000 rows\n/);
    expect(first).toMatch(/^\x1b7.*looking up \(2 of 3\): 25 %, 1,000 rows.*\x1b8\x1b\[1G\x1b\[2K$/s);
    expect(second).toMatch(
      /^\x1b7.*: 50 %, ETA 4 s, 2,000 rows, 500 rows\/s, 10 chunks, 1.5 MB\/s.*\x1b8\x1b\[1G\x1b\[2K$/s,
    );
    expect(last).toBe('');
  });

  test('writes a line every 30 s where there is no terminal', async () => {
    const { report, text } = capture();
    let ms = 0;
    const onProgress = await report.startProgress(() => ms);
    for (; ms <= 95_000; ms += 1000) onProgress({ ...AT, rows: ms, fraction: ms / 100_000 });
    report.done();
    ms = 200_000;
    onProgress(AT);
    const line = (seconds: number): string =>
      `looking up (2 of 3): ${seconds} %, ETA ${100 - seconds < 60 ? `${100 - seconds} s` : '1 min 10 s'}, ${seconds},000 rows, 1,000 rows/s, 10 chunks, 0.0 MB/s, 0 cache hits, 1 root request, 0 failed\n`;
    expect(text()).toBe([30, 60, 90].map(line).join(''));
  });
});
