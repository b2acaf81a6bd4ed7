/** Checks the shape of a JSON body before it is parsed: `JSON.parse` takes gigabytes and half a minute for some bodies. */
import { HttpRefusal } from '../http-errors.ts';

const QUOTE = 34,
  OPEN_LIST = 91,
  BACKSLASH = 92,
  CLOSE_LIST = 93,
  OPEN_OBJECT = 123;
/** A shorter body is parsed in no time, whatever it holds. */
const SHORT_BYTES = 2 ** 16;
/** A member, its list, and the lists of points. */
const MAX_DEPTH = 2;
/** The most lists and texts. A body of 1 MiB has fewer; longer lists of points and IDs are parsed in pieces. */
const MAX_LISTS = 2 ** 19;

/** Refuses a body that is more than an object of lists. @throws HttpRefusal 400, 413. */
export function requireFlatJson(body: Uint8Array, wanted: string): void {
  if (body.length <= SHORT_BYTES) return;
  let depth = 0,
    lists = 0,
    objects = 0,
    isText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) {
      isText = !isText;
      if (isText) lists++;
    } else if (isText) {
      if (byte === BACKSLASH) at++;
    } else if (byte === OPEN_LIST) {
      depth++;
      lists++;
    } else if (byte === CLOSE_LIST) depth--;
    else if (byte === OPEN_OBJECT) objects++;
    if (objects > 1 || depth > MAX_DEPTH)
      throw new HttpRefusal(400, `the body must be ${wanted}: it has lists or objects inside others`);
    if (lists > MAX_LISTS)
      throw new HttpRefusal(
        413,
        `the body has more than ${MAX_LISTS} lists or texts, and does not begin with the list of points or IDs: it must be ${wanted}`,
      );
  }
}
