import { describe, expect, test } from '@jest/globals';
import { ServerClock } from '../../lib/chunkedgraph/server-clock.ts';

/** Clocks that stand still until told. */
function clocks(wall: number) {
  const at = { wall, steady: 1000 };
  return { at, clock: new ServerClock({ wall: () => at.wall, steady: () => at.steady }) };
}

const DATE = 'Wed, 05 Jun 2024 10:10:01 GMT', SERVER = Date.parse('2024-06-05T10:10:01Z');

describe('ServerClock', () => {
  test('is the local clock, in whole milliseconds, before a server has said anything', () => {
    const { clock } = clocks(1234.9);
    expect(clock.now()).toBe(1234);
  });

  test('is the server while the local clock is ahead', () => {
    const { clock, at } = clocks(SERVER + 60_000);
    clock.note(DATE);
    expect(clock.now()).toBe(SERVER);
    at.steady += 2500.7;
    expect(clock.now()).toBe(SERVER + 2500);
  });

  test('is the local clock while that is behind', () => {
    const { clock } = clocks(SERVER - 5000.5);
    clock.note(DATE);
    expect(clock.now()).toBe(SERVER - 5001);
  });

  test('goes on with the server when the local clock jumps ahead', () => {
    const { clock, at } = clocks(SERVER);
    clock.note(DATE);
    at.wall += 3_600_000;
    at.steady += 10;
    expect(clock.now()).toBe(SERVER + 10);
  });

  test('goes by what the server said last', () => {
    const { clock, at } = clocks(SERVER + 1e9);
    clock.note(DATE);
    at.steady += 500;
    clock.note('Wed, 05 Jun 2024 10:10:03 GMT');
    expect(clock.now()).toBe(SERVER + 2000);
  });

  test('does not go back where a header repeats or cuts its second', () => {
    const { clock, at } = clocks(SERVER + 1e9);
    clock.note(DATE);
    at.steady += 900;
    clock.note(DATE);
    expect(clock.now()).toBe(SERVER + 900);
    at.steady += 950;
    clock.note('Wed, 05 Jun 2024 10:10:02 GMT');
    expect(clock.now()).toBe(SERVER + 1850);
  });

  test('follows a server that was set back', () => {
    const { clock, at } = clocks(SERVER + 1e9);
    clock.note(DATE);
    at.steady += 10;
    clock.note('Wed, 05 Jun 2024 10:09:59 GMT');
    expect(clock.now()).toBe(SERVER - 2000);
  });

  test.each([undefined, '', 'soon', 'Wed, 35 Jun 2024 10:10:01 GMT'])('ignores the Date %p', (date) => {
    const { clock } = clocks(SERVER + 7);
    clock.note(DATE);
    clock.note(date);
    expect(clock.now()).toBe(SERVER);
  });

  test('uses the machine\'s clocks by default', () => {
    const before = Date.now(), now = new ServerClock().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
