/** The errors of uploads: which object, which status, the server's code, and what the user can do. */
import { RequestError } from '../../base/errors.ts';
import type { ObjectReply } from '../http-store.ts';

/** What is known about a refused step of an upload. */
export interface RefusedUpload {
  answer: ObjectReply;
  /** The URL of the object, for messages. */
  url: string;
  /** The code in the body of the reply. */
  code?: string;
  /** The permissions that an upload needs. */
  needs: string;
}

/** Makes the error for a reply that refuses an upload. */
export function uploadRefusedError({ answer, url, code, needs }: RefusedUpload): RequestError {
  const { reply, advice } = answer,
    { status } = reply;
  const hint =
    status === 401 || status === 403
      ? [`writing needs ${needs}`, advice].filter(Boolean).join('; ')
      : (HINTS_BY_CODE[code ?? ''] ?? HINTS[status] ?? (status < 400 ? HINTS[301] : advice));
  return new RequestError(
    'HTTP_STATUS',
    `${url} answered ${status}${code === undefined ? '' : ` ${code}`} to an upload${hint ? `; ${hint}` : ''}`,
    url,
    status,
  );
}

const HINTS: Readonly<Record<number, string>> = {
  301: 'an upload is not redirected: name the server or the region of the bucket',
  404: 'there is no such bucket',
  405: 'the server takes no uploads',
  409: 'another program wrote the object meanwhile, so it is not replaced',
  412: 'another program wrote the object meanwhile, so it is not replaced',
};

const HINTS_BY_CODE: Readonly<Record<string, string>> = {
  NoSuchUpload: 'the server has removed the unfinished upload',
  BadDigest: 'the bytes changed on their way',
  EntityTooSmall: 'the server wants larger parts',
  EntityTooLarge: 'the server wants smaller parts, or a smaller object',
  InvalidBucketName: 'the name of the bucket is not valid',
};

/** Makes the error for an answer that does not follow the rules of an upload. */
export const uploadReplyError = (url: string, what: string, status?: number, cause?: unknown): RequestError =>
  new RequestError('BAD_RESPONSE', `${url}: ${what}`, url, status, cause === undefined ? {} : { cause });
