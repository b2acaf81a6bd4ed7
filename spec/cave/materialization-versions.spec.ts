import { describe, expect, test } from '@jest/globals';
import { MaterializationVersions } from '../../lib/cave/materialization-versions.ts';
import { caveHost } from '../support/cave-host.ts';

const BASE = '/materialize/api/v2/datastack/minnie';
const service = (answers: Record<string, unknown>) => {
  const host = caveHost('https://local.example.org', answers);
  return { ...host, versions: new MaterializationVersions(host.server, 'minnie') };
};
const paths = (requests: { url: string | URL }[]): string[] =>
  requests.map(({ url }) => String(url).slice('https://local.example.org'.length));

describe('versions', () => {
  test('have timestamps, in UTC and cut to milliseconds, each requested once', async () => {
    const { requests, versions } = service({
      [`${BASE}/version/943`]: { time_stamp: '2024-01-22T08:10:01.497934', expires_on: null },
    });
    const both = await Promise.all([versions.timestampOf(943), versions.timestampOf(943)]);
    expect([...both, await versions.timestampOf(943)].map((date) => date.toISOString())).toEqual(
      Array(3).fill('2024-01-22T08:10:01.497Z'),
    );
    expect(paths(requests)).toEqual([`${BASE}/version/943`]);
  });

  test('are listed again each time the newest is looked up', async () => {
    const { requests, answers, versions } = service({
      [`${BASE}/versions?expired=False`]: [1, 117, 9],
      [`${BASE}/version/117`]: { time_stamp: '2021-06-11 08:10:00.215114' },
      [`${BASE}/version/118`]: { time_stamp: '2021-06-12T08:10:00+00:00' },
    });
    expect((await versions.timestampOf('newest')).toISOString()).toBe('2021-06-11T08:10:00.215Z');
    answers[`${BASE}/versions?expired=False`] = [117, 118];
    expect((await versions.timestampOf('newest')).toISOString()).toBe('2021-06-12T08:10:00.000Z');
    expect(paths(requests)).toHaveLength(4);
  });

  test('are retried after a failure, and an abort ends one call only', async () => {
    const { answers, versions } = service({});
    await expect(versions.timestampOf(5)).rejects.toMatchObject({
      name: 'InfoError',
      code: 'NOT_FOUND',
      message: 'https://local.example.org has no version 5 of datastack minnie',
    });
    answers[`${BASE}/version/5`] = { time_stamp: '2024-01-01' };
    const gone = AbortSignal.abort(new Error('left'));
    const [left, stayed] = await Promise.allSettled([versions.timestampOf(5, gone), versions.timestampOf(5)]);
    expect([left, stayed]).toEqual([
      { status: 'rejected', reason: new Error('left') },
      { status: 'fulfilled', value: new Date('2024-01-01') },
    ]);
  });

  test.each<[string, Record<string, unknown>, number | 'newest', object]>([
    [
      'there are no versions',
      { [`${BASE}/versions?expired=False`]: [] },
      'newest',
      { name: 'TimestampError' },
    ],
    [
      'the list is not a list',
      { [`${BASE}/versions?expired=False`]: { a: 1 } },
      'newest',
      { name: 'InfoError', code: 'BAD_INFO' },
    ],
    [
      'the timestamp is malformed',
      { [`${BASE}/version/1`]: { time_stamp: 'yesterday' } },
      1,
      { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('time_stamp') },
    ],
    [
      'there is no timestamp',
      { [`${BASE}/version/1`]: {} },
      1,
      { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('time_stamp') },
    ],
  ])('are an error if %s', async (_, answers, version, error) => {
    await expect(service(answers).versions.timestampOf(version)).rejects.toMatchObject(error);
  });
});
