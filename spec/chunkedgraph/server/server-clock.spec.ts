import { describe, expect, test } from '@jest/globals';
import { EarliestNow, getEarliestNow } from '../../../lib/chunkedgraph/server/earliest-now.ts';
import { parseGraphPath } from '../../../lib/chunkedgraph/server/graph-path.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';

/** Clocks that the test sets. */
function clocks(wall: number, present?: EarliestNow) {
  const at = { wall, steady: 1000 },
    warnings: string[] = [];
  const clock = new ServerClock({
    clocks: { wall: () => at.wall, steady: () => at.steady },
    earliestNow: present,
    warn: (message) => warnings.push(message),
  });
  return { at, clock, warnings };
}

const DATE = 'Wed, 05 Jun 2024 10:10:01 GMT',
  SERVER = Date.parse('2024-06-05T10:10:01Z');
const MINUTE = 60_000,
  YEAR = 365 * 24 * 60 * MINUTE;

describe('ServerClock', () => {
  test('gives the local time in whole milliseconds before a server has answered', () => {
    const { clock } = clocks(1234.9);
    expect([clock.now(), clock.read().certainMs]).toEqual([1234, 1234]);
  });

  test("gives the server's time while the local clock is ahead", () => {
    const { clock, at } = clocks(SERVER + MINUTE);
    clock.noteDate(DATE);
    expect(clock.now()).toBe(SERVER);
    at.steady += 2500.7;
    expect(clock.now()).toBe(SERVER + 2500);
  });

  test('gives the local time while the local clock is behind', () => {
    const { clock } = clocks(SERVER - 5000.5);
    clock.noteDate(DATE);
    expect(clock.now()).toBe(SERVER - 5001);
  });

  test.each([-YEAR, -5 * MINUTE - 1, 5 * MINUTE + 1, YEAR])(
    'gives the later time if the clocks are too far apart (%d ms), and judges what is final by the earlier one',
    (skew) => {
      const { clock } = clocks(SERVER + skew);
      clock.noteDate(DATE);
      expect([clock.now(), clock.read().certainMs]).toEqual([
        SERVER + Math.max(skew, 0),
        SERVER + Math.min(skew, 0) + 2000,
      ]);
    },
  );

  test('uses the last Date header', () => {
    const { clock, at } = clocks(SERVER + MINUTE);
    clock.noteDate(DATE);
    at.steady += 500;
    clock.noteDate('Wed, 05 Jun 2024 10:10:03 GMT');
    expect(clock.now()).toBe(SERVER + 2000);
  });

  test('does not go back if a header repeats or cuts its second', () => {
    const { clock, at } = clocks(SERVER + MINUTE);
    clock.noteDate(DATE);
    at.steady += 900;
    clock.noteDate(DATE);
    expect(clock.now()).toBe(SERVER + 900);
    at.steady += 950;
    clock.noteDate('Wed, 05 Jun 2024 10:10:02 GMT');
    expect(clock.now()).toBe(SERVER + 1850);
  });

  test.each([
    ['the local clock', (at: { wall: number }, _clock: ServerClock) => void (at.wall -= MINUTE)],
    ['the local clock by years', (at: { wall: number }, _clock: ServerClock) => void (at.wall -= 3 * YEAR)],
    [
      'the server',
      (_at: { wall: number }, clock: ServerClock) => clock.noteDate('Wed, 05 Jun 2024 10:09:00 GMT'),
    ],
    [
      'the server by a year',
      (_at: { wall: number }, clock: ServerClock) => clock.noteDate('Mon, 05 Jun 2023 10:09:00 GMT'),
    ],
  ])('does not go back when %s is set back', (_what, setBack) => {
    const { clock, at } = clocks(SERVER);
    clock.noteDate(DATE);
    expect(clock.now()).toBe(SERVER);
    setBack(at, clock);
    expect(clock.now()).toBe(SERVER);
    expect(clock.read().certainMs).toBeLessThan(SERVER); // a timestamp that may not be final does not count as final
    at.wall += 4 * YEAR;
    at.steady += 1;
    clock.noteDate(DATE);
    expect(clock.now()).toBeGreaterThanOrEqual(SERVER + 1);
  });

  test.each([undefined, '', 'soon', 'Wed, 35 Jun 2024 10:10:01 GMT'])('ignores the Date %p', (date) => {
    const { clock, warnings } = clocks(SERVER + 7);
    clock.noteDate(DATE);
    clock.noteDate(date);
    expect([clock.now(), warnings]).toEqual([SERVER, []]);
  });

  test("uses the machine's clocks by default", () => {
    const before = Date.now(),
      now = new ServerClock().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test.each([
    [0, 0],
    [-5 * MINUTE, 0],
    [5 * MINUTE, 0],
    [-5 * MINUTE - 1, 1],
    [5 * MINUTE + 1, 1],
    [-YEAR, 1],
    [YEAR, 1],
  ])('with clocks %d ms apart, warns %d times and names both times', (skew, times) => {
    const { clock, warnings } = clocks(SERVER + skew);
    clock.noteDate(DATE);
    clock.noteDate(DATE);
    expect(warnings).toHaveLength(times);
    for (const warning of warnings)
      for (const ms of [SERVER, SERVER + skew]) expect(warning).toContain(new Date(ms).toISOString());
  });

  test('warns if a clock becomes wrong later', () => {
    const { clock, at, warnings } = clocks(SERVER);
    clock.noteDate(DATE);
    expect(warnings).toEqual([]);
    at.wall -= YEAR;
    clock.noteDate(DATE);
    expect(warnings).toHaveLength(1);
  });
});

describe('an edit', () => {
  test.each([0, 1, 700, 1500])('%d ms ahead of the server keeps now from being earlier', (ahead) => {
    const { clock, at } = clocks(SERVER + MINUTE);
    clock.noteDate(DATE);
    clock.noteEdit(SERVER + ahead);
    expect(clock.read()).toEqual({ nowMs: SERVER + ahead, certainMs: SERVER + ahead });
    at.steady += 2000;
    expect(clock.now()).toBe(SERVER + 2000);
  });

  test('moves now after every now that was given before the edit was done', () => {
    const { clock, at } = clocks(SERVER + MINUTE);
    clock.noteDate(DATE);
    at.steady += 300;
    const before = clock.now(); // after the edit's lock, and before it is written
    clock.noteEdit(SERVER + 100);
    expect(clock.now()).toBeGreaterThan(before);
    expect(clock.editMs).toBeGreaterThan(before);
  });

  test.each([
    [SERVER + MINUTE, SERVER + MINUTE],
    [SERVER - MINUTE, SERVER + 1000],
    [SERVER + YEAR, SERVER + YEAR],
    [SERVER - YEAR, SERVER + 1000],
  ])(
    'with an unknown timestamp, at local time %d, counts as the local time or the end of the second in the Date header, whichever is later',
    (wall, latest) => {
      const { clock } = clocks(wall);
      clock.noteDate(DATE);
      clock.noteEdit();
      expect(clock.now()).toBe(latest);
    },
  );

  test('with an unknown timestamp counts as the local time if there is no Date header', () => {
    const { clock } = clocks(1234.5);
    clock.noteEdit();
    expect(clock.now()).toBe(1235);
  });

  test('counts for all clocks of its server and table, opened earlier or later, and for no others', () => {
    const path = (table: string) =>
      parseGraphPath(`graphene://https://pcg.example/segmentation/table/${table}`);
    const [first, other] = [
      clocks(SERVER, getEarliestNow(path('a'))),
      clocks(SERVER, getEarliestNow(path('b'))),
    ];
    first.clock.noteEdit(SERVER + 900);
    const later = clocks(
      SERVER,
      getEarliestNow(parseGraphPath('graphene://middleauth+https://PCG.example:443/segmentation/api/v1/a')),
    );
    expect([first, later, other].map(({ clock }) => clock.now())).toEqual([
      SERVER + 900,
      SERVER + 900,
      SERVER,
    ]);
  });
});
