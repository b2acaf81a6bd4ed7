/** Which request headers may hold credentials. */
import { registerSecretsIn } from '../base/secret-redaction.ts';

/** Request headers by name. */
export type Headers = Readonly<Record<string, string>>;

/**
 * Headers that never hold credentials and may follow a redirect to another origin. Any other header stays
 * behind.
 */
export const CROSS_ORIGIN_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'if-none-match',
  'range',
  'user-agent',
]);

/** Headers that hold no secret. */
const KNOWN = new Set([
  ...CROSS_ORIGIN_HEADERS,
  'accept-language',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'host',
  'if-match',
  'metadata-flavor',
  'origin',
  'referer',
  'x-amz-content-sha256',
  'x-amz-request-payer',
  'x-goog-user-project',
  'x-requested-with',
  'x-upload-content-length',
  'x-upload-content-type',
]);

/** Whether a header may hold a secret. Every header that is not known to be harmless may. */
export const isSecretHeader = (name: string): boolean => !KNOWN.has(name.toLowerCase());

/**
 * Registers the values of the user's secret headers, so that no error or log shows them, even if a server
 * repeats them.
 */
export function registerSecretHeaders(headers: Headers | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!isSecretHeader(name)) continue;
    registerSecretsIn(value);
    const [, basic] = /^basic\s+([\w+/=-]+)$/i.exec(value.trim()) ?? [];
    if (basic !== undefined)
      Buffer.from(basic, 'base64').toString('utf8').split(':').forEach(registerSecretsIn);
  }
}
