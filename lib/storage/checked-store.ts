/** A store of the user's own: what it answers is checked here, once, and nowhere else. */
import { isUint8Array } from 'node:util/types';
import { StoreAnswerError } from '../base/store-answer-error.ts';
import { normalizeContentEncoding } from './content-encoding.ts';
import { answerEmptyRange } from './keys.ts';
import type { ByteRange, ReadOptions, Store, StoredObject } from './store.ts';

/** As anybody may answer: in JavaScript no compiler has looked at it. */
type Answer = Partial<Record<keyof StoredObject, unknown>>;

/** `undefined` and `null` are nothing stored; whatever else is not a {@link StoredObject} is a TypeError that names the key. */
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

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    const nothing = answerEmptyRange(options.range);
    if (nothing) return nothing;
    const answer: unknown = await this.#store.read(key, options);
    return answer === undefined || answer === null ? undefined : checked(answer, key, options);
  }
}

function checked(answer: unknown, key: string, { range: asked, ifNoneMatch }: ReadOptions): StoredObject {
  const wrong = (what: string): StoreAnswerError =>
    new StoreAnswerError(`storage.read(${JSON.stringify(key)}) ${what}`);
  if (typeof answer !== 'object' || answer === null || !isUint8Array((answer as Answer).bytes)) {
    const said =
      typeof answer === 'object' && answer !== null
        ? `gave an object whose bytes are ${kindOf((answer as Answer).bytes)}`
        : `gave ${kindOf(answer)}`;
    throw wrong(`${said}: give { bytes: Uint8Array }, or undefined where nothing is stored`);
  }
  const { contentEncoding, range, totalBytes, validator, notModified } = answer as Answer;
  const bytes = (answer as { bytes: Uint8Array }).bytes;
  if (!isTextOrNone(contentEncoding))
    throw wrong(
      `gave a contentEncoding that is ${kindOf(contentEncoding)}: give a text such as 'gzip', or undefined`,
    );
  if (!isTextOrNone(validator))
    throw wrong(`gave a validator that is ${kindOf(validator)}: give a text, or undefined`);
  const size = totalBytes ?? undefined;
  if (size !== undefined && !isCount(size))
    throw wrong(`gave totalBytes that are ${kindOf(size)}: give the size of the whole object, or undefined`);
  const part = partOf(range, bytes, asked, size, wrong);
  return {
    bytes,
    contentEncoding: normalizeContentEncoding(contentEncoding ?? undefined),
    ...(part && { range: part, totalBytes: size }),
    ...(validator != null && { validator }),
    ...(notModified === true && ifNoneMatch !== undefined && { notModified }),
  };
}

/** The part that `bytes` are of the object; undefined when they are all of it. */
function partOf(
  range: unknown,
  bytes: Uint8Array,
  asked: ByteRange | undefined,
  size: number | undefined,
  wrong: (what: string) => Error,
): ByteRange | undefined {
  if (range === undefined || range === null) return undefined;
  const { start, end } = range as Partial<Record<keyof ByteRange, unknown>>;
  if (!isCount(start) || !isCount(end) || end - start !== bytes.length)
    throw wrong(
      `gave ${bytes.length} bytes and says that they are those of a range ${rangeText(start, end)}: give { start, end } of just these bytes`,
    );
  if (!asked) {
    if (start === 0 && (size === undefined || end === size)) return undefined;
    throw wrong(`gave bytes ${rangeText(start, end)} where all were asked for`);
  }
  if (start !== asked.start || end > asked.end || (size !== undefined && end !== Math.min(asked.end, size)))
    throw wrong(
      `gave bytes ${rangeText(start, end)}${size === undefined ? '' : ` of ${size}`} where ${rangeText(asked.start, asked.end)} were asked for`,
    );
  return { start, end };
}

const isTextOrNone = (value: unknown): value is string | undefined | null =>
  value === undefined || value === null || typeof value === 'string';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const rangeText = (start: unknown, end: unknown): string => `${String(start)} to ${String(end)}`;

/** `null`, `a number`, `an ArrayBuffer`; never the value itself. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const name = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}
