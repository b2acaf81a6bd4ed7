/** The spellings in which a hostile server may repeat a secret, and how much of the secret a text shows. */

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
export const unicode = (text: string): string =>
  [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
export const spellingsOf = (secret: string): Record<string, string> => ({
  'as it is': secret,
  'in upper case': secret.toUpperCase(),
  'in lower case': secret.toLowerCase(),
  'in a URL': encodeURIComponent(secret),
  'in a URL, in lower case': encodeURIComponent(secret).toLowerCase(),
  'all percent': percent(secret),
  'every second character percent': [...secret].map((c, at) => (at % 2 ? percent(c) : c)).join(''),
  'percent twice': encodeURIComponent(encodeURIComponent(secret)),
  'in JSON': JSON.stringify(secret).replaceAll('/', '\\/'),
  'in JSON, all escaped': unicode(secret),
  'in JSON in a URL': encodeURIComponent(unicode(secret)),
  'in HTML': [...secret]
    .map((c, at) => (at % 2 ? `&#${c.charCodeAt(0)};` : `&#x${c.charCodeAt(0).toString(16)};`))
    .join(''),
  base64: Buffer.from(secret).toString('base64'),
  base64url: Buffer.from(secret).toString('base64url'),
  'base64 of a header': Buffer.from(`Bearer ${secret}`).toString('base64'),
  'base64 of a header and more': Buffer.from(`x Bearer ${secret}, more`).toString('base64'),
  'base64url of a pair': Buffer.from(`user:${secret}`).toString('base64url'),
  hex: Buffer.from(secret).toString('hex'),
  'hex in upper case': Buffer.from(`Bearer ${secret}`).toString('hex').toUpperCase(),
});

/** Returns the length of the longest part of `spelling` that is in `text`, in upper or lower case. */
export function longestRun(text: string, spelling: string): number {
  const whole = text.toLowerCase(),
    part = spelling.toLowerCase();
  let longest = 0;
  for (let at = 0; at < part.length; at++)
    while (at + longest < part.length && whole.includes(part.slice(at, at + longest + 1))) longest++;
  return longest;
}

/** Undoes escapes, as a reader would; escapes that are cut stay. */
export const readEscapes = (text: string): string =>
  [1, 2].reduce(
    (one) =>
      one.replace(
        /%([\da-f]{2})|\\u([\da-f]{4})|&#x([\da-f]+);|&#(\d+);|\\([^u])/gi,
        (_, a?: string, b?: string, c?: string, decimal?: string, other?: string) =>
          other ??
          String.fromCharCode(decimal === undefined ? parseInt((a ?? b ?? c)!, 16) : Number(decimal)),
      ),
    text,
  );

/** Returns the characters of an encoded text that come from the secret only. */
export function ownPart(name: string, spelling: string, secret: string): string {
  const before = name.includes('more')
      ? 9
      : name.includes('header') || name === 'hex in upper case'
        ? 7
        : name.includes('pair')
          ? 5
          : 0,
    bits = name.startsWith('hex') ? 4 : 6;
  return /^(base64|hex)/.test(name)
    ? spelling.slice(Math.ceil((8 * before) / bits), Math.floor((8 * (before + secret.length)) / bits))
    : secret;
}

/**
 * Returns the text around 8 consecutive characters of `spelling`, in upper or lower case; undefined if `text`
 * has none.
 */
export function showsRun(text: string, spelling: string): string | undefined {
  const whole = text.toLowerCase(),
    part = spelling.toLowerCase();
  for (let at = 0; at + 8 <= part.length; at++) {
    const found = whole.indexOf(part.slice(at, at + 8));
    if (found >= 0) return text.slice(Math.max(0, found - 200), found + 40);
  }
  return undefined;
}
