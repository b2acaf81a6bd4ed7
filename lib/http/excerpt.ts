import { constants, gunzipSync } from 'node:zlib';

/** Bytes of a failing reply that are looked at. */
const EXAMINED_BYTES = 16_384;
const EXCERPT_CHARACTERS = 200;

/** The URL without user info, query and fragment: what may appear in errors and logs. */
export function redactUrl(url: string | URL): string {
  // graphene://https://…: the URL is behind the first scheme.
  const [, scheme, rest] =
    typeof url === 'string' ? (/^([a-z][a-z\d+.-]*:\/\/)([a-z][a-z\d+.-]*:\/\/.*)$/is.exec(url) ?? []) : [];
  if (scheme !== undefined) return scheme + redactUrl(rest);
  const parsed = typeof url === 'string' ? (URL.canParse(url) ? new URL(url) : undefined) : url;
  if (parsed) return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return String(url)
    .replace(/[?#].*$/s, '')
    .replace(/^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i, '$1');
}

/**
 * The first 200 characters of a failing reply, fit for a terminal and a log: gzip undone, HTML reduced to its title or text,
 * control characters (terminal escapes) and direction marks replaced, credentials taken out.
 *
 * @param secrets Values sent with the request; a server may echo them.
 */
export function excerpt(
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  secrets: readonly string[] = [],
): string {
  let text = Buffer.from(inflated(body).subarray(0, EXAMINED_BYTES)).toString('utf8');
  for (const secret of secrets) if (secret) text = text.replaceAll(secret, '***');
  if (String(headers['content-type'] ?? '').includes('html') || /^\s*<(!doctype html|html)/i.test(text))
    text = htmlText(text);
  text = text
    .replace(/\b(bearer|basic)\s+[^\s"'<>,]+/gi, '$1 ***')
    .replace(/[\u0000-\u0020\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, ' ')
    .trim();
  const characters = Array.from(text); // not UTF-16 units: no half of a surrogate pair
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS - 1).join('')}…`
    : text;
}

/** Whether a reply is a page for people (a log-in, a proxy's apology) where an object was asked for. */
export const isHtmlPage = (
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): boolean =>
  String(headers['content-type'] ?? '').includes('html') &&
  /^[\s\ufeff]*</.test(Buffer.from(inflated(body).subarray(0, 256)).toString('utf8'));

function inflated(body: Uint8Array): Uint8Array {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    // A body cut at the client's bound is still readable up to there.
    return gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 20 });
  } catch {
    return new Uint8Array(0);
  }
}

/** The title of a page, or its text. `[^<>]` keeps the patterns linear on hostile input. */
function htmlText(html: string): string {
  const title = /<title[^<>]*>([^<>]*)/i.exec(html)?.[1].trim();
  if (title) return title;
  return html.replace(/<(script|style)\b[^<>]*>[^<]*/gi, ' ').replace(/<[^<>]*>/g, ' ');
}
