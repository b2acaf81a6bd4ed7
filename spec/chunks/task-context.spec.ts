import { expect, jest, test } from '@jest/globals';
import { Stop } from '../../lib/base/stop.ts';
import { TaskContext } from '../../lib/chunks/task-context.ts';

type Parts = ConstructorParameters<typeof TaskContext>[0];

test('the context of a task has all that it was made with', () => {
  const parts: Required<Parts> = {
    stop: new Stop(),
    meter: { requests: 0, bytes: 0, absentBy403: 0 },
    wanted: new Map(),
    deliver: jest.fn<Parts['deliver']>(),
    deliverNow: jest.fn<NonNullable<Parts['deliverNow']>>(),
    deliverParts: jest.fn<Parts['deliverParts']>(),
    readEntry: jest.fn<NonNullable<Parts['readEntry']>>(),
    workOf: jest.fn<NonNullable<Parts['workOf']>>(),
    threads: {
      ready: 1,
      whenReady: () => undefined,
      workOnAll: () => Promise.resolve([]),
      copyShared: (bytes) => bytes,
      giveBack: () => undefined,
    },
    deliveriesAtOnce: 3,
    onMiss: jest.fn<NonNullable<Parts['onMiss']>>(),
    fail: jest.fn<Parts['fail']>(),
  };
  expect(new TaskContext(parts)).toMatchObject(parts);
});
