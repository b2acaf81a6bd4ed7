/**
 * What may appear in no output: tokens, keys, passwords. Whoever gets hold of one keeps it here, and whatever is said passes
 * `safeText`: a server that repeats a secret, whole or in part and in whatever spelling, does not have it shown. They are kept for the
 * whole process, since errors are printed long after a volume was closed.
 */

/** Shorter runs of a secret's characters are in many words. */
const RUN = 8;
const MOST_SECRETS = 500;
const MOST_CHARACTERS = 16_384;
const HIDDEN = '***';
const DEEPEST = 200;
/** Characters of a message; longer ones lose their middle. */
const MOST_SHOWN = 2000;

/** By secret, oldest first: every run of its spellings. */
const kept = new Map<string, readonly string[]>();
/** How many secrets have a run. */
const runs = new Map<string, number>();
/** Which pairs of characters a run begins with, so that few places of a text are looked at more closely. */
const heads = new Uint8Array(1 << 14);
const headAt = (text: string, at: number): number =>
  ((text.charCodeAt(at) & 127) << 7) | (text.charCodeAt(at + 1) & 127);

/** From now on, no run of 8 or more of its characters is shown, however it is spelled. Shorter words are no secrets. */
export function registerSecret(secret: string | null | undefined): void {
  if (typeof secret !== 'string' || secret.length < RUN || kept.has(secret)) return;
  const own = [...new Set(spellings(secret.slice(0, MOST_CHARACTERS)).flatMap(runsOf))];
  kept.set(secret, own);
  for (const run of own) {
    runs.set(run, (runs.get(run) ?? 0) + 1);
    heads[headAt(run, 0)] = 1;
  }
  if (kept.size > MOST_SECRETS) forget(kept.keys().next().value!);
}

/** Each word of it: the scheme before a token is too short to count. */
export const registerSecretsIn = (value: string): void => value.split(/\s+/).forEach(registerSecret);

function forget(secret: string): void {
  for (const run of kept.get(secret)!) {
    const left = runs.get(run)! - 1;
    if (left === 0) runs.delete(run);
    else runs.set(run, left);
  }
  kept.delete(secret);
}

const runsOf = (text: string): string[] =>
  Array.from({ length: Math.max(0, text.length - RUN + 1) }, (_, at) => text.slice(at, at + RUN));

/** In lower case. Escapes of single characters are undone where a text is searched. */
function spellings(secret: string): string[] {
  const bytes = [...new TextEncoder().encode(secret)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  // In the base64 of a longer text it begins at any of three places; characters that it shares with its neighbours differ.
  const base64 = [0, 1, 2].map((before) => {
    const text = btoa(String.fromCharCode(...new Array<number>(before).fill(0), ...bytes)).replace(/=+$/, '');
    return text.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1);
  });
  return [
    secret,
    hex,
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ].map(lowerCase);
}

/** Only of ASCII, so that the length stays. */
const lowerCase = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** A text without what is kept here. */
export function redactSecrets(text: string): string {
  if (runs.size === 0 || text.length < RUN) return text;
  const hidden = new Uint8Array(text.length);
  let found = false;
  let level: Escaped | undefined = { text: lowerCase(text), starts: undefined };
  // Escapes may be escaped once more, in JSON in a URL.
  for (let depth = 0; level && depth < 3; depth++, level = unescaped(level, text.length)) {
    const { text: plain, starts } = level;
    for (let at = 0; at + RUN <= plain.length; at++) {
      if (heads[headAt(plain, at)] === 0 || !runs.has(plain.slice(at, at + RUN))) continue;
      found = true;
      hidden.fill(1, starts ? starts[at] : at, starts ? starts[at + RUN] : at + RUN);
    }
  }
  if (!found) return text;
  let shown = '';
  for (let at = 0; at < text.length;) {
    const from = at,
      isHidden = hidden[at];
    while (at < text.length && hidden[at] === isHidden) at++;
    shown += isHidden ? HIDDEN : text.slice(from, at);
  }
  return shown;
}

interface Escaped {
  text: string;
  /** Where in the whole text each character begins, and where the last one ends; undefined: character for character. */
  starts: readonly number[] | undefined;
}

const ESCAPE = /%([\da-f]{2})|\\u([\da-f]{4})|\\x([\da-f]{2})|&#x([\da-f]{1,6});|&#(\d{1,7});|\\(.)|&amp;/g;

/** With the escapes of URLs, JSON and HTML undone; undefined when there are none. */
function unescaped({ text, starts }: Escaped, end: number): Escaped | undefined {
  const place = (at: number): number => (starts ? starts[at] : at);
  let plain = '',
    from = 0;
  const places: number[] = [];
  const copy = (to: number): void => {
    for (let at = from; at < to; at++) places.push(place(at));
    plain += text.slice(from, to);
  };
  for (const match of text.matchAll(ESCAPE)) {
    const [whole, percent, unicode, byte, hex, decimal, other] = match;
    copy(match.index);
    places.push(place(match.index));
    plain +=
      other ??
      lowerCase(
        String.fromCharCode(
          decimal !== undefined
            ? Number(decimal)
            : whole === '&amp;'
              ? 38
              : parseInt(percent ?? unicode ?? byte ?? hex, 16),
        ),
      );
    from = match.index + whole.length;
  }
  if (from === 0) return undefined;
  copy(text.length);
  places.push(end);
  return { text: plain, starts: places };
}

/** Fit for messages: no secrets, and not endless. */
export function safeText(text: string, most = MOST_SHOWN): string {
  const part = Math.floor(most / 2);
  return redactSecrets(text.length <= most ? text : `${text.slice(0, part)} … ${text.slice(-part)}`);
}

/** The same JSON, its texts and names of members without secrets; itself when there are none to be hidden. */
export function redactSecretsIn<T>(json: T): T {
  if (runs.size === 0) return json;
  const clean = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redactSecrets(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEEPEST) return HIDDEN; // not searched, so not shown
    if (Array.isArray(value)) return value.map((part) => clean(part, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [redactSecrets(name), clean(member, depth + 1)]),
    );
  };
  return clean(json, 0) as T;
}
