/** A table that is read from a stream of the caller. */
import { leaveOnAbort } from '../base/abort.ts';
import { TableError } from '../base/errors.ts';
import type { TablePath } from '../table-files/cloud-input.ts';
import { streamInput } from '../tables/files/table-input.ts';
import type { LookupSource } from './table-types.ts';

const NAME = 'the source';

/** Checks the kind of a source. @throws TypeError. */
export function checkSource(source: LookupSource): void {
  const what = 'the source is a path, a list of paths, or a stream of bytes',
    isPath = (path: unknown): boolean => typeof path === 'string' && path !== '';
  if (source === '-') throw new TypeError(`${what}: pass process.stdin for standard input`);
  if (typeof source === 'string' || Array.isArray(source)) {
    const paths = typeof source === 'string' ? [source] : (source as readonly unknown[]);
    if (paths.length === 0 || !paths.every(isPath)) throw new TypeError(`${what}, and no path may be empty`);
    return;
  }
  if (ArrayBuffer.isView(source)) throw new TypeError(`${what}: pass Readable.from([bytes]) for bytes`);
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source))
    throw new TypeError(`${what}, not ${source === null ? 'null' : `a ${typeof source}`}`);
}

/** Makes the input of a stream. It is read once. */
export const streamTable = (source: AsyncIterable<Uint8Array>): TablePath => ({
  name: NAME,
  stream: source,
  open: (signal, folder) => streamInput(NAME, () => readBytes(source, signal), signal, folder),
});

/** Yields the bytes of a stream. An abort ends the wait for more. @throws TableError UNREADABLE; TypeError. */
async function* readBytes(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await leaveOnAbort(iterator.next(), signal, () => {}).catch((error: unknown) => {
        ended = true;
        if (signal.aborted) throw signal.reason;
        const reason = error instanceof Error ? error.message : String(error);
        throw new TableError('UNREADABLE', `${NAME} cannot be read: ${reason}`, { cause: error });
      });
      if (next.done) return void (ended = true);
      yield toBytes(next.value);
    }
  } finally {
    if (!ended) void iterator.return?.().catch(() => undefined);
  }
}

function toBytes(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return Buffer.from(part);
  if (Object.prototype.toString.call(part) === '[object Uint8Array]') return part as Uint8Array; // of another realm
  throw new TypeError(`${NAME} yields ${part === null ? 'null' : `a ${typeof part}`}, not bytes`);
}

/** Ends a stream that is not read to its end. */
export function closeSource(source: LookupSource): void {
  if (typeof source === 'string' || Array.isArray(source)) return;
  const { destroy, cancel } = source as { destroy?: () => void; cancel?: () => Promise<void> };
  if (typeof destroy === 'function') destroy.call(source);
  else if (typeof cancel === 'function')
    cancel.call(source).catch(() => undefined); // one that is read is locked
  else {
    const generator = source as Partial<AsyncGenerator>;
    void Promise.resolve(generator.return?.(undefined)).catch(() => undefined);
  }
}
