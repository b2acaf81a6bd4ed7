/**
 * Reads the replies of Google's JSON API to uploads. Pure.
 * Sources: Google Cloud Storage, "Perform resumable uploads", "Objects: resource" and "HTTP status and error
 * codes for JSON".
 */

const MOST_EXAMINED = 65_536;

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const text = Buffer.from(
      body.buffer,
      body.byteOffset,
      Math.min(body.byteLength, MOST_EXAMINED),
    ).toString();
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What Google says about an object. Fields that are not as documented are left out. */
export interface GsObject {
  generation?: string;
  size?: number;
  /** In base64. Objects that were composed of others have none. */
  md5Hash?: string;
}

/** Reads the description of an object. */
export function readGsObject(body: Uint8Array): GsObject {
  const { generation, size, md5Hash } = parseObject(body);
  return {
    generation: /^\d{1,20}$/.test(String(generation)) ? String(generation) : undefined,
    size: /^\d{1,15}$/.test(String(size)) ? Number(size) : undefined,
    md5Hash: typeof md5Hash === 'string' && md5Hash !== '' ? md5Hash : undefined,
  };
}

/** Reads the reason of an error, such as `forbidden`; undefined if the body has none. */
export function readGsReason(body: Uint8Array): string | undefined {
  const error = parseObject(body).error as { errors?: { reason?: unknown }[]; status?: unknown } | undefined;
  const reason = Array.isArray(error?.errors) ? error.errors[0]?.reason : error?.status;
  return typeof reason === 'string' && /^[\w.-]{1,64}$/.test(reason) ? reason : undefined;
}

/**
 * Reads how many bytes of an upload are stored, from the `Range` header of a reply with status 308. Without
 * the header none are. Returns undefined for anything else.
 */
export function readStoredBytes(range: string | undefined): number | undefined {
  if (range === undefined) return 0;
  const [, last] = /^bytes=0-(\d{1,15})$/i.exec(range.trim()) ?? [];
  return last === undefined ? undefined : Number(last) + 1;
}
