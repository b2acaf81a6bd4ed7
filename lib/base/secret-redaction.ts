/**
 * Hides secrets (tokens, keys, passwords) in all output. Code that obtains a secret registers it here, and
 * every message passes through `safeText`. So a secret that a server repeats is hidden, whole or in part, in
 * any spelling. The newest 500 secrets stay registered for the life of the process, because an error may be
 * printed long after its volume was closed.
 */

/** Characters of a run. Shorter runs of a secret's characters occur in ordinary words. */
const RUN = 8;
const MAX_SECRETS = 500;
/** Tokens of other people's requests: few, so that a stranger can neither fill the memory nor push out the others. */
const MAX_GUEST_SECRETS = 100;
const MAX_SECRET_LENGTH = 16_384;
const HIDDEN = '***';
const MAX_DEPTH = 200;
/** Characters of a message; a longer message loses its middle. */
const MAX_MESSAGE_LENGTH = 2000;

/** Every run of each secret's spellings. The oldest secret is first. */
const registered = new Map<string, readonly string[]>();
let registrations = 0;
/** The registered secrets that came with requests of other people, the least recently used first. */
const guests = new Set<string>();
/** How many secrets contain each run. */
const runs = new Map<string, number>();
/**
 * 1 for each pair of characters that a run begins with. Most places of a text are ruled out by this table
 * alone.
 */
const heads = new Uint8Array(1 << 14);
const headAt = (text: string, at: number): number =>
  ((text.charCodeAt(at) & 127) << 7) | (text.charCodeAt(at + 1) & 127);

/**
 * Registers a secret: from now on, no run of 8 or more of its characters is shown, in any spelling. Shorter
 * text is ignored.
 */
export function registerSecret(secret: string | null | undefined): void {
  if (typeof secret !== 'string' || secret.length < RUN || registered.has(secret)) return;
  register(secret);
  if (registered.size - guests.size <= MAX_SECRETS) return;
  for (const oldest of registered.keys()) if (!guests.has(oldest)) return forget(oldest);
}

/**
 * Registers a secret that came with a request of somebody else, such as the token of a service's caller. The
 * {@link MAX_GUEST_SECRETS} that were used last stay registered. They never push out this process's own secrets.
 */
export function registerGuestSecret(secret: string): void {
  if (secret.length < RUN) return;
  if (!registered.has(secret)) register(secret);
  else if (!guests.delete(secret)) return; // a secret of this process
  guests.add(secret);
  if (guests.size <= MAX_GUEST_SECRETS) return;
  const [oldest] = guests;
  guests.delete(oldest);
  forget(oldest);
}

function register(secret: string): void {
  const own = [...new Set(spellings(secret.slice(0, MAX_SECRET_LENGTH)).flatMap(runsOf))];
  registered.set(secret, own);
  registrations++;
  for (const run of own) {
    runs.set(run, (runs.get(run) ?? 0) + 1);
    heads[headAt(run, 0)] = 1;
  }
}

/** Changes when a secret is registered. */
export const secretsVersion = (): number => registrations;
/** Returns the registered secrets, for other threads of this process. */
export const registeredSecrets = (): string[] => [...registered.keys()];

/** Registers each word of a header's value. A scheme such as `Bearer` is too short to count. */
export const registerSecretsIn = (value: string): void => value.split(/\s+/).forEach(registerSecret);

function forget(secret: string): void {
  for (const run of registered.get(secret)!) {
    const left = runs.get(run)! - 1;
    if (left === 0) runs.delete(run);
    else runs.set(run, left);
  }
  registered.delete(secret);
}

const runsOf = (text: string): string[] =>
  Array.from({ length: Math.max(0, text.length - RUN + 1) }, (_, at) => text.slice(at, at + RUN));

/**
 * The spellings of a secret, in lower case: plain, hex, base64. Escapes of single characters are undone in
 * the text that is searched.
 */
function spellings(secret: string): string[] {
  const bytes = [...new TextEncoder().encode(secret)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  // Within a longer text, its base64 has three forms, by its offset modulo 3. Characters that mix in bits of
  // the neighbouring bytes are cut off.
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

/** Lowers ASCII letters only, so that the length stays the same. */
const lowerCase = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Replaces every registered secret in a text by `***`. */
export function redactSecrets(text: string): string {
  if (runs.size === 0 || text.length < RUN) return text;
  const hidden = new Uint8Array(text.length);
  let found = false;
  let level: Escaped | undefined = { text: lowerCase(text), starts: undefined };
  // Escapes may be nested, such as those of JSON in a URL.
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
  /**
   * Where each character begins in the original text, and where the last one ends; undefined if nothing was
   * unescaped.
   */
  starts: readonly number[] | undefined;
}

const ESCAPE = /%([\da-f]{2})|\\u([\da-f]{4})|\\x([\da-f]{2})|&#x([\da-f]{1,6});|&#(\d{1,7});|\\(.)|&amp;/g;

/** Undoes the escapes of URLs, JSON and HTML; undefined if there are none. */
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

/**
 * Makes a text fit for a message: hides secrets, and cuts the middle out of a text longer than `maxLength`.
 */
export function safeText(text: string, maxLength = MAX_MESSAGE_LENGTH): string {
  const part = Math.floor(maxLength / 2);
  return redactSecrets(text.length <= maxLength ? text : `${text.slice(0, part)} … ${text.slice(-part)}`);
}

/**
 * Hides secrets in all texts and member names of a JSON value. Returns the value itself if no secret is
 * registered.
 */
export function redactSecretsIn<T>(json: T): T {
  if (runs.size === 0) return json;
  const clean = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redactSecrets(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH) return HIDDEN; // not searched, and so not shown
    if (Array.isArray(value)) return value.map((part) => clean(part, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [redactSecrets(name), clean(member, depth + 1)]),
    );
  };
  return clean(json, 0) as T;
}
