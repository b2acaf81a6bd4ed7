/** The page of a report: well formed, escaped, without secrets and without anything that loads or runs. */
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { GraphError } from '../../lib/base/errors.ts';
import { registerSecret } from '../../lib/base/secret-redaction.ts';
import { AnswerCollector } from '../../lib/report/model/answer-collector.ts';
import type { ReportInput } from '../../lib/report/model/report-facts.ts';
import { RUN_RECORD, type RunRecord } from '../../lib/report/model/run-record.ts';
import { RunCollector } from '../../lib/report/model/run-collector.ts';
import { drawSvg } from '../../lib/report/page/echarts-svg.ts';
import { byteText, duration, percent, short } from '../../lib/report/page/figures.ts';
import { renderReport } from '../../lib/report/page/report-page.ts';
import { html } from '../../lib/report/page/safe-html.ts';
import { factOf, faultsOf, rowsOf, textOf } from './report-html.ts';

const HOSTILE =
  '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u0000\ud800 &lt;b&gt; \'</style></svg><!--';
const SECRET = 'f00dSecretTokenOfSomebody42';
registerSecret(SECRET);

/** A run of 60 chunks and 3 root requests, all of whose texts are `text`. */
function recordOf(text: string, more: { outcome?: RunRecord['outcome']; error?: unknown } = {}): RunRecord {
  let ms = 0;
  const run = new RunCollector({
    step: text,
    program: text,
    node: '20',
    platform: text,
    startMs: Date.UTC(2024, 5, 6),
    elapsedMs: () => ms,
    peakMemoryBytes: () => 123e6,
    graphHost: () => text,
  });
  for (let k = 0; k < 60; k++) {
    ms += 10;
    const outcome = k % 20 === 7 ? 'failed' : 'read';
    const error = outcome === 'failed' ? new Error(`${text}: ${SECRET}`) : undefined;
    run.observe({
      type: 'chunk',
      url: `https://${SECRET}@h${k}/${text}?token=${SECRET}`,
      from: k % 3 ? 'store' : 'cache',
      outcome,
      bytes: 1000,
      ms: k,
      error,
    });
    run.addPoints(10);
  }
  for (let k = 0; k < 3; k++)
    run.observe({
      type: 'rootRequest',
      endpoint: 'roots',
      ids: 5,
      timestamp: new Date(0),
      bytes: 80,
      ms: 7,
      ...(k === 2 && { error: new GraphError('HTTP_STATUS', text, text, 503) }),
    });
  run.observe({ type: 'retry', host: text, made: 1, delayMs: 250 });
  run.observe({ type: 'batch', timestamp: new Date(0), calls: 2, distinct: 5, requests: 1, ms: 3 });
  for (let k = 0; k < 150; k++) run.warn(`${text} ${k % 120} ${SECRET}`);
  return run.record({ outcome: 'done', ...more });
}

function inputOf(text: string, runs = [recordOf(text)], isComplete = true): ReportInput {
  const answers = new AnswerCollector(['', text]),
    points = Float64Array.from({ length: 300 }, (_, k) => k * 1.5),
    status = Uint8Array.from({ length: 100 }, (_, k) => 1 + (k % 13));
  runWithoutPause(answers.addInSteps(0, points, { status, roots: new Uint32Array(200).fill(3) }));
  runWithoutPause(answers.addInSteps(1, points, { status }));
  for (let k = 0; k < 50; k++) answers.addFailure(1, [1, 2.5, k], 'failed', `${text} ${SECRET} ${k % 7}`);
  const graph = { server: text, apiVersions: [0, 1], layers: 7, supervoxelsSplit: true };
  const volume = {
    path: text,
    what: text,
    resolution: [4, 4, 40],
    mip: 1,
    generation: 12,
    graph,
    datastack: text,
    settled: '2024-06-06T00:00:00.000Z',
  };
  return {
    facts: {
      command: 'lookup',
      volumes: [
        { name: '', ...volume },
        { name: text, ...volume },
      ],
      inputs: [text, text],
      output: text,
      unit: [4, 4, 40],
      asked: [[text, `${text}${SECRET}`]],
      timestampAsked: text,
    },
    runs,
    answers: answers.summarize(),
    isComplete,
    notes: [text],
    writtenMs: Date.UTC(2024, 5, 7),
  };
}

describe('the page of a report', () => {
  const page = renderReport(inputOf(HOSTILE), drawSvg);

  test('is well formed, and loads and runs nothing, whatever the texts', () => {
    expect(faultsOf(page)).toEqual([]);
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).not.toMatch(/<script|<img|<iframe|<link|https?:\/\/(?!www\.w3\.org\/2000\/svg"|h\d+)/);
    expect(page).not.toMatch(/[\u0000-\u0008\u202e]|\p{Surrogate}/u);
  });

  test('shows the texts as they are', () => {
    const shown = textOf(page);
    expect(shown).toContain('"><script>alert(1)</script><img src=x onerror=alert(2)>');
    expect(shown).toContain('&lt;b&gt;');
  });

  test('shows no secret', () => {
    expect(page).not.toContain(SECRET);
    expect(page).not.toContain('token=');
    expect(page).toContain('***');
  });

  test('bounds what it shows: hosts, faults, warnings, failures and slow chunks', () => {
    expect(rowsOf(page, 'By host')).toHaveLength(41);
    expect(rowsOf(page, 'Warnings 150 in all')).toHaveLength(100);
    expect(rowsOf(page, 'Points that need attention')).toHaveLength(20);
    expect(rowsOf(page, 'The 10 that took longest').map(([, took]) => took)).toEqual(
      Array.from({ length: 10 }, (_, k) => `${59 - k} ms`),
    );
    expect(page.length).toBeLessThan(600_000);
  });

  test('names the roots and the generation, and says that the timestamp is settled or not', () => {
    const input = inputOf('x'),
      counts = {
        rows: 1,
        statuses: [{ ok: 1 }],
        chunks: 0,
        requests: 0,
        bytes: 0,
        cacheHits: 0,
        rootRequests: 0,
        rootCacheHits: 0,
        distinctSupervoxels: 0,
        absentBy403: 0,
        totalMs: 1,
      };
    const at = (iso: string): string | undefined =>
      factOf(
        renderReport(
          { ...input, counts: { ...counts, timestamps: { first: iso, last: iso, count: 1 } } },
          drawSvg,
        ),
        'Settled',
      );
    expect(at('2024-06-06T00:00:00.000Z')).toMatch(/^yes/);
    expect(at('2024-06-06T00:00:00.001Z')).toMatch(/^no/);
    const plain = renderReport(input, drawSvg);
    expect(factOf(plain, 'OCDBT generation')).toBe('12');
    expect(rowsOf(plain, 'The 1 biggest')[0].slice(0, 2)).toEqual([String(3n * 2n ** 32n + 3n), '100']);
  });

  test.each([
    ['failed', 'The run failed. no space left'],
    ['interrupted', 'The run was interrupted. no space left'],
  ] as const)('says that a run %s, and why', (outcome, said) => {
    const other = renderReport(
      inputOf('x', [recordOf('x', { outcome, error: new Error('no space left') })], false),
      drawSvg,
    );
    expect(textOf(other)).toContain(said);
    expect(factOf(other, 'Output')).toBe('x (not written)');
    expect(faultsOf(other)).toEqual([]);
  });

  test('joins runs from their records as JSON', () => {
    const record = RUN_RECORD.parse(JSON.parse(JSON.stringify(recordOf('x')))),
      later = { ...record, startMs: record.startMs + 3_600_000 };
    const joined = renderReport(inputOf('x', [record, later]), drawSvg);
    expect(faultsOf(joined)).toEqual([]);
    expect(rowsOf(joined, 'Runs')).toHaveLength(2);
    // Of 60 chunks, 40 are from the store, 2 of which failed.
    expect(rowsOf(joined, 'What was read').slice(0, 2)).toEqual([
      ['Chunks from the store', '76', '80.0 kB'],
      ['Chunks from the disk cache', '40', '40.0 kB'],
    ]);
    expect(rowsOf(joined, 'Durations').map(([name, count]) => [name, count])).toEqual([
      ['Chunks from the store', '76'],
      ['Chunks from the disk cache', '40'],
      ['Root requests', '4'],
    ]);
  });

  test('is written for a run that did nothing', () => {
    const context = { step: 'lookup', program: 'p', node: '20', platform: 'linux', startMs: 0 };
    const record = new RunCollector({ ...context, elapsedMs: () => 0, peakMemoryBytes: () => 1 }).record({
      outcome: 'failed',
      error: new Error('gone'),
    });
    const empty = renderReport(
      {
        facts: {
          command: 'lookup',
          volumes: [{ name: '', path: 'p', what: 'not opened' }],
          inputs: [],
          output: 'o',
          asked: [],
        },
        runs: [record],
        answers: new AnswerCollector(['']).summarize(),
        isComplete: false,
        notes: [],
        writtenMs: 0,
      },
      drawSvg,
    );
    expect(faultsOf(empty)).toEqual([]);
    expect(textOf(empty)).toContain('Nothing was read.');
  });
});

describe('templates', () => {
  test('escape every value once, and keep HTML', () => {
    expect(String(html`<a b="${'"'}">${['<', html`<i>${'&'}</i>`, undefined, false, null, 0]}</a>`)).toBe(
      '<a b="&quot;">&lt;<i>&amp;</i>0</a>',
    );
  });
});

describe('figures', () => {
  test('keep three digits, and say what is not quite nothing or all', () => {
    expect([short(1234.5), short(0.012345), short(12.345)]).toEqual(['1,235', '0.0123', '12.3']);
    expect([duration(12.345), duration(1234), duration(245_000), duration(10_920_000)]).toEqual([
      '12.3 ms',
      '1.23 s',
      '4 min 05 s',
      '3 h 02 min',
    ]);
    expect([byteText(999), byteText(1000), byteText(123_456_789)]).toEqual(['999 bytes', '1.0 kB', '123 MB']);
    expect([percent(0, 5), percent(1, 1e6), percent(999_999, 1e6), percent(1, 1), percent(1, 3)]).toEqual([
      '0\u202f%',
      '<\u202f0.01\u202f%',
      '>\u202f99.99\u202f%',
      '100\u202f%',
      '33.3\u202f%',
    ]);
  });
});
