/** Timeouts that pass when a spec says so, in a process whose sockets, files and turns of the event loop go on as they do. */
import { jest } from '@jest/globals';

/** Until `jest.useRealTimers()`. */
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
