/**
 * Opens FIFOs without blocking. A blocking open would hold a thread of Node's pool, and no signal could end
 * the process before the other side opens the FIFO too.
 */
import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Returns a plain descriptor, which the socket closes. A FileHandle would close it a second time. */
const openNow = promisify(open) as (path: string, flags: number) => Promise<number>;
const RETRY_MS = 50;

/** Opens a FIFO for reading. The stream waits for a writer and ends when the last writer has closed it. */
export async function openFifoReader(path: string): Promise<Socket> {
  return new Socket({
    fd: await openNow(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
}

/** Opens a FIFO for writing, as soon as there is a reader. @throws signal.reason */
export async function openFifoWriter(path: string, signal?: AbortSignal): Promise<Socket> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return new Socket({
        fd: await openNow(path, constants.O_WRONLY | constants.O_NONBLOCK),
        readable: false,
        writable: true,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error; // ENXIO: there is no reader yet
    }
    await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
