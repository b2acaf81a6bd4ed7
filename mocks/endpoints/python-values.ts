/**
 * Parses and writes values as the real server's Python does, including the messages of its exceptions, which
 * clients see.
 */

/** A refusal of the server: status 400, JSON with `[400]: …`. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
}

/** An uncaught exception of the server: status 500, JSON with a traceback. */
export class ServerCrash extends Error {
  override readonly name = 'ServerCrash';
}

const YEAR_1_MS = -62_135_596_800_000;
const YEAR_10000_MS = 253_402_300_800_000;

/** `int(text)`. */
export function pythonInt(text: string): bigint {
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(text))
    throw new ServerCrash(`invalid literal for int() with base 10: '${text}'`);
  const digits = text.trim().replaceAll('_', '');
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace('+', ''));
}

/**
 * Parses seconds into whole milliseconds, rounded down, as the server stores times.
 * @param name Name of the parameter.
 */
export const pythonTimestampMs = (text: string, name: string): number =>
  Math.floor(pythonTimestampUs(text, name) / 1e3);

/** Parses seconds into whole microseconds, as Python keeps them. @param name Name of the parameter. */
export function pythonTimestampUs(text: string, name: string): number {
  const bad = new RefusedRequest(`Timestamp parameter ${name} is not a valid unix timestamp`);
  const trimmed = text.trim().toLowerCase();
  const infinite = /^[+-]?inf(inity)?$/.test(trimmed);
  if (!infinite && !/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/.test(trimmed))
    throw bad;
  const seconds = infinite ? Infinity : Number(trimmed.replaceAll('_', ''));
  if (Math.abs(seconds) >= 2 ** 63) throw new ServerCrash('timestamp out of range for platform time_t');
  const us = Math.round(seconds * 1e6);
  if (us < YEAR_1_MS * 1e3 || us >= YEAR_10000_MS * 1e3) throw bad;
  return us;
}

/** A JSON number as text, so that no ID is rounded. */
export class NumberText {
  constructor(readonly text: string) {}
}

/** `json.loads`, except that every number is a {@link NumberText}. */
export function parsePythonJson(bytes: Uint8Array): unknown {
  const marked = new TextDecoder()
    .decode(bytes)
    .replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
      token.startsWith('"') ? token : `{"\\u0000number":"${token}"}`,
    );
  try {
    return JSON.parse(marked, (_, value: unknown) =>
      isMarked(value) ? new NumberText(value['\0number']) : value,
    );
  } catch {
    throw new ServerCrash('Expecting value: line 1 column 1 (char 0)');
  }
}

/** Returns the list, or fails as `np.concatenate` does for an empty list. */
export function requireNonEmpty<T>(list: readonly T[]): readonly T[] {
  if (list.length === 0) throw new ServerCrash('need at least one array to concatenate');
  return list;
}

/** A member of a JSON object. @throws ServerCrash with Python's KeyError when it is missing. */
export function requiredMember(value: unknown, name: string): unknown {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    value instanceof NumberText ||
    !(name in value)
  )
    throw new ServerCrash(`'${name}'`);
  return (value as Record<string, unknown>)[name];
}

const isMarked = (value: unknown): value is { '\0number': string } =>
  typeof value === 'object' && value !== null && '\0number' in value;

/**
 * `np.array(list, dtype=np.uint64)` of numbers or text. A fraction is cut off, and a negative number wraps
 * around.
 */
export function uint64Array(list: unknown): BigUint64Array {
  if (!Array.isArray(list))
    throw new ServerCrash(
      "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
    );
  return BigUint64Array.from(list, (item: unknown) => {
    if (typeof item !== 'string' && !(item instanceof NumberText))
      throw new ServerCrash('int() argument must be a string, a bytes-like object or a real number');
    const text = typeof item === 'string' ? item : item.text;
    return uint64(/[.eE]/.test(text) ? BigInt(Math.trunc(Number(text))) : pythonInt(text));
  });
}

/** A timestamp as `str(datetime)` writes it, in UTC. */
export function pythonTime(ms: number, delimiter = ' '): string {
  const [date, time] = new Date(ms).toISOString().slice(0, -1).split('T');
  return `${date}${delimiter}${time.replace('.000', '').replace(/(\.\d{3})$/, '$1000')}+00:00`;
}

/** `np.uint64(value)`: a negative number wraps around. */
export function uint64(value: bigint): bigint {
  if (value >= 2n ** 64n || value < -(2n ** 63n))
    throw new ServerCrash('Python int too large to convert to C long');
  return BigInt.asUintN(64, value);
}

/** Compact JSON with a line feed, as flask writes it. A bigint becomes a number. */
export const toJson = (value: unknown): string =>
  `${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `\0${item}` : item)).replace(/"\\u0000(\d+)"/g, '$1')}\n`;
