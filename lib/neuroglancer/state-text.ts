/**
 * Reads the text of a Neuroglancer state: JSON, the URL-safe JSON of older links, and links.
 * Source: Neuroglancer, src/util/json.ts (`urlSafeToJSON`) and src/ui/url_hash_binding.ts; `?json_url=` is the
 * form of Seung-lab's fork (its README), `middleauth+` that of CAVE's state server (nglui,
 * src/nglui/statebuilder/base.py).
 */
import { StateError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

/** The most characters of a text of a state: 2^28, about 250 MB. */
export const MAX_STATE_LENGTH = 2 ** 28;

/** What a text holds: a state, or the address of one. */
export type StateText =
  | {
      /** The JSON object of the state. */
      state: Readonly<Record<string, unknown>>;
      url?: undefined;
    }
  | {
      state?: undefined;
      /** Where the state is, without `middleauth+`. */
      url: string;
    };

/** Whether a text is a link to a viewer, or the address of a state: it has a scheme. */
export const isStateLink = (text: string): boolean => /^\s*(?:middleauth\+)?https?:\/\//i.test(text);

/**
 * Reads a text: the JSON of a state, a link to a viewer with a state (`…#!{…}`), a link that names where its
 * state is (`…#!middleauth+https://…`, `…?json_url=https://…`), or such an address itself. Nothing is requested.
 *
 * @throws StateError BAD_STATE for any other text, TOO_LARGE for one of more than 2^28 characters.
 */
export function readStateText(text: string): StateText {
  if (text.length > MAX_STATE_LENGTH)
    throw new StateError('TOO_LARGE', `the state has more than ${MAX_STATE_LENGTH} characters`);
  return isStateLink(text) ? readLink(text.trim()) : { state: parseState(text) };
}

function readLink(link: string): StateText {
  const hash = link.indexOf('#');
  if (hash >= 0) {
    const fragment = link.slice(hash + 1);
    if (!fragment.startsWith('!'))
      throw new StateError(
        'BAD_STATE',
        'the link holds no state: expected #!{…} or #!https://… behind the address',
      );
    // #!+{…} changes the state that the viewer shows; as a state of its own, it is the same.
    const inner = fragment.slice(fragment[1] === '+' ? 2 : 1);
    const address = toAddress(inner);
    return address === undefined ? { state: parseState(decode(inner), true) } : { url: address };
  }
  const [, given] = /[?&]json_url=([^&]*)/.exec(link) ?? [];
  if (given !== undefined) {
    const address = toAddress(decode(given));
    if (address !== undefined) return { url: address };
    throw new StateError('BAD_STATE', 'json_url of the link is not an https:// address');
  }
  return { url: toAddress(link)! };
}

/** Returns the address that a text is, without `middleauth+`; undefined for another text. */
function toAddress(text: string): string | undefined {
  const [, address] = /^(?:middleauth\+)?(https?:\/\/.+)$/is.exec(text) ?? [];
  if (address !== undefined || !/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return address;
  throw new StateError(
    'UNSUPPORTED',
    `the link names a state at ${toPrintable(text, 80)}: save that state to a file, and read the file`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StateError('BAD_STATE', 'the link is cut or damaged: its percent-encoding is not valid');
  }
}

/** Parses the JSON of a state. @param urlSafe Whether it may be the URL-safe JSON of links. */
function parseState(text: string, urlSafe = false): Readonly<Record<string, unknown>> {
  let state: unknown;
  try {
    state = JSON.parse(toPlainJson(text, urlSafe));
  } catch (error) {
    // The message of JSON.parse quotes the text.
    throw new StateError(
      'BAD_STATE',
      `the state is not JSON: ${toPrintable(error instanceof Error ? error.message : String(error), 120)}`,
    );
  }
  return requireState(state);
}

/** Returns a value that is a JSON object. @throws StateError BAD_STATE. */
export function requireState(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new StateError('BAD_STATE', 'the state is not a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

const QUOTE = 34,
  APOSTROPHE = 39,
  BACKSLASH = 92,
  ZERO = 48,
  NINE = 57,
  MINUS = 45,
  UNDERSCORE = 95,
  AMPERSAND = 38;

/** More digits than this may not fit a double. */
const EXACT_DIGITS = 15;

/**
 * Converts the text to plain JSON. In URL-safe JSON, texts may be in apostrophes, and `_` and `&` are commas.
 * Whole numbers of more than 15 digits become texts: JSON.parse would round them. One pass, no recursion.
 */
export function toPlainJson(text: string, urlSafe: boolean): string {
  const pieces: string[] = [];
  let copied = 0;
  const replace = (from: number, to: number, by: string): void => {
    pieces.push(text.slice(copied, from), by);
    copied = to;
  };
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || (urlSafe && code === APOSTROPHE)) {
      const end = endOfText(text, at, code === QUOTE ? '"' : "'");
      if (code === APOSTROPHE) replace(at, end, toQuoted(text.slice(at + 1, end - 1)));
      at = end;
    } else if ((code >= ZERO && code <= NINE) || code === MINUS) {
      let end = at + 1;
      while (isOfNumber(text.charCodeAt(end))) end++;
      if (end - at > EXACT_DIGITS && /^-?\d+$/.test(text.slice(at, end)))
        replace(at, end, `"${text.slice(at, end)}"`);
      at = end;
    } else {
      if (urlSafe && (code === UNDERSCORE || code === AMPERSAND)) replace(at, at + 1, ',');
      at++;
    }
  }
  if (copied === 0) return text;
  pieces.push(text.slice(copied));
  return pieces.join('');
}

/** Returns where the text that begins with a quote ends, behind its last quote. */
function endOfText(text: string, start: number, quote: string): number {
  for (let at = text.indexOf(quote, start + 1); at >= 0; at = text.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
  return text.length + 1; // it never ends, and JSON.parse says so
}

/** A digit, or one of + - . e E. */
const isOfNumber = (code: number): boolean =>
  (code >= ZERO && code <= NINE) || code === 45 || code === 46 || code === 43 || (code | 32) === 101;

/** Converts what is between apostrophes to a text in quotes: `"` gets a backslash, `\'` loses it. */
const toQuoted = (inner: string): string =>
  `"${inner.replace(/\\[\s\S]|"/g, (part) => (part === '"' ? '\\"' : part === "\\'" ? "'" : part))}"`;
