/**
 * FIFOs, opened without waiting: an open that waits for the other side would hold a thread of Node's pool, and no signal could end the
 * process before that side comes.
 */
import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Gives a plain descriptor, which the socket closes; a FileHandle would close it too. */
const openNow = promisify(open) as (path: string, flags: number) => Promise<number>;
const RETRY_MS = 50;

/** Waits for a writer; ends when the last writer has left. */
export async function openFifoReader(path: string): Promise<Socket> {
  return new Socket({
    fd: await openNow(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
}

/** Waits for a reader. @throws signal.reason */
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
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error; // ENXIO: nobody reads
    }
    await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
