/** Fake timers for timeouts only: sockets, files and turns of the event loop stay real. */
import { jest } from '@jest/globals';

/** Fakes timeouts until `jest.useRealTimers()`. */
export function fakeTimeouts(): void {
  const real = [
    'nextTick',
    'setImmediate',
    'clearImmediate',
    'queueMicrotask',
    'setInterval',
    'clearInterval',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...real, 'performance', 'Date', 'hrtime'] });
}
