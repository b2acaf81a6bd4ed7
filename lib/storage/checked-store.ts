/** Wraps a store that the user wrote, and checks everything that it returns. */
import { isUint8Array } from 'node:util/types';
import { StoreAnswerError } from '../base/store-answer-error.ts';
import { normalizeContentEncoding } from './content-encoding.ts';
import { answerEmptyRange } from './keys.ts';
import type { ByteRange, ReadOptions, Store, StoredObject } from './store.ts';

/** What a store may return: JavaScript code can return anything. */
type UncheckedObject = Partial<Record<keyof StoredObject, unknown>>;

/**
 * A store whose answers are checked. `undefined` and `null` mean that nothing is stored. Anything else that
 * is not a {@link StoredObject} gives a TypeError that names the key.
 */
export class CheckedStore implements Store {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get url(): string {
    return this.#store.url;
  }

  get identity(): Store['identity'] {
    return this.#store.identity?.bind(this.#store);
  }

  get exists(): Store['exists'] {
    return this.#store.exists?.bind(this.#store);
  }

  get list(): Store['list'] {
    return this.#store.list?.bind(this.#store);
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    const nothing = answerEmptyRange(options.range);
    if (nothing) return nothing;
    // The caller's store may pass the options on with a spread, which would leave out the getter of the signal.
    const answer: unknown = await this.#store.read(key, { ...options, signal: options.signal });
    return answer === undefined || answer === null ? undefined : checkAnswer(answer, key, options);
  }
}

function checkAnswer(
  answer: unknown,
  key: string,
  { range: requested, ifNoneMatch }: ReadOptions,
): StoredObject {
  const answerError = (what: string): StoreAnswerError =>
    new StoreAnswerError(`storage.read(${JSON.stringify(key)}) ${what}`);
  if (typeof answer !== 'object' || answer === null || !isUint8Array((answer as UncheckedObject).bytes)) {
    const what =
      typeof answer === 'object' && answer !== null
        ? `returned an object whose bytes are ${kindOf((answer as UncheckedObject).bytes)}`
        : `returned ${kindOf(answer)}`;
    throw answerError(`${what}; expected { bytes: Uint8Array }, or undefined if nothing is stored`);
  }
  const { contentEncoding, range, totalBytes, validator, notModified } = answer as UncheckedObject;
  const bytes = (answer as { bytes: Uint8Array }).bytes;
  if (!isStringOrNone(contentEncoding))
    throw answerError(
      `returned a contentEncoding that is ${kindOf(contentEncoding)}; expected a string such as 'gzip', or undefined`,
    );
  if (!isStringOrNone(validator))
    throw answerError(`returned a validator that is ${kindOf(validator)}; expected a string, or undefined`);
  const size = totalBytes ?? undefined;
  if (size !== undefined && !isCount(size))
    throw answerError(
      `returned totalBytes that is ${kindOf(size)}; expected the size of the whole object, or undefined`,
    );
  const part = partOf(range, bytes, requested, size, answerError);
  return {
    bytes,
    contentEncoding: normalizeContentEncoding(contentEncoding ?? undefined),
    ...(part && { range: part, totalBytes: size }),
    ...(validator != null && { validator }),
    ...(notModified === true && ifNoneMatch !== undefined && { notModified }),
  };
}

/** Returns the range of the object that `bytes` holds; undefined if it is the whole object. */
function partOf(
  range: unknown,
  bytes: Uint8Array,
  requested: ByteRange | undefined,
  size: number | undefined,
  answerError: (what: string) => Error,
): ByteRange | undefined {
  if (range === undefined || range === null) return undefined;
  const { start, end } = range as Partial<Record<keyof ByteRange, unknown>>;
  if (!isCount(start) || !isCount(end) || end - start !== bytes.length)
    throw answerError(
      `returned ${bytes.length} bytes with the range ${rangeText(start, end)}; expected the range { start, end } of exactly these bytes`,
    );
  if (!requested) {
    if (start === 0 && (size === undefined || end === size)) return undefined;
    throw answerError(`returned bytes ${rangeText(start, end)}, but the whole object was requested`);
  }
  if (
    start !== requested.start ||
    end > requested.end ||
    (size !== undefined && end !== Math.min(requested.end, size))
  )
    throw answerError(
      `returned bytes ${rangeText(start, end)}${size === undefined ? '' : ` of ${size}`}, but ${rangeText(requested.start, requested.end)} were requested`,
    );
  return { start, end };
}

const isStringOrNone = (value: unknown): value is string | undefined | null =>
  value === undefined || value === null || typeof value === 'string';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const rangeText = (start: unknown, end: unknown): string => `${String(start)} to ${String(end)}`;

/**
 * Names the type of a value, such as `null`, `a number` or `an ArrayBuffer`. Never shows the value itself.
 */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const name = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}
