/**
 * The XML of S3 multipart uploads.
 * Source: Amazon S3 API reference, CreateMultipartUpload and CompleteMultipartUpload.
 */

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Replaces the entities of a text. */
export const unescapeXml = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi, (whole, decimal, hex, name: string) =>
    name === undefined
      ? String.fromCodePoint(
          Math.min(0x10ffff, hex === undefined ? Number(decimal) : parseInt(String(hex), 16)),
        )
      : (ENTITIES[name] ?? whole),
  );

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Returns the text of the first element of a name, which has no elements in it. */
function elementText(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}(?:\\s[^<>]*)?>([^<>]{1,2048})</${name}>`).exec(xml) ?? [];
  return text === undefined ? undefined : unescapeXml(text.trim());
}

const MOST_EXAMINED = 65_536;
const textOf = (body: Uint8Array): string =>
  Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MOST_EXAMINED)).toString('utf8');

/** Reads the ID of a new upload; undefined if the reply has none. */
export const readUploadId = (body: Uint8Array): string | undefined => elementText(textOf(body), 'UploadId');

/**
 * Reads the reply to CompleteMultipartUpload. With status 200, too, it may hold an error: the server sends the
 * status before it joins the parts.
 */
export function readCompletion(body: Uint8Array): { etag: string } | { code: string | undefined } {
  const xml = textOf(body);
  if (/<CompleteMultipartUploadResult[\s>]/.test(xml)) {
    const etag = elementText(xml, 'ETag');
    if (etag !== undefined) return { etag };
  }
  const code = /<Error[\s>]/.test(xml) ? elementText(xml, 'Code') : undefined;
  return { code: code !== undefined && /^[\w.-]{1,64}$/.test(code) ? code : undefined };
}

/** Writes the body of CompleteMultipartUpload. @param etags The ETags of all parts, in order. */
export const completionXml = (etags: readonly string[]): string =>
  `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${etags
    .map((etag, k) => `<Part><PartNumber>${k + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`;
