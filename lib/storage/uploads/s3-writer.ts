/**
 * Writes objects to an S3 bucket: small ones with PutObject, others as a multipart upload. Every body has a
 * Content-MD5, which all servers that speak S3 check.
 * Sources: Amazon S3 API reference, PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload,
 * AbortMultipartUpload; Amazon S3 user guide, "Add preconditions to S3 operations".
 */
import { createHash } from 'node:crypto';
import { withJointSignal } from '../../base/abort.ts';
import { RequestError } from '../../base/errors.ts';
import type { Headers } from '../../http/http-request.ts';
import type { BucketAccess, BucketAddress, BucketRequest } from '../bucket-access.ts';
import type { ObjectReply } from '../http-store.ts';
import { encodeKey } from '../keys.ts';
import { s3Error } from '../s3-error.ts';
import type { ClaimedObject, ObjectWriter, UploadOptions, UploadSource } from './object-writer.ts';
import { removeQuietly } from './remove-quietly.ts';
import { completionXml, readCompletion, readUploadId } from './s3-upload-xml.ts';
import { UploadRetries } from './upload-retries.ts';
import { uploadRefusedError, uploadReplyError } from './upload-errors.ts';
import { PART_BYTES, partRange, planUpload, uploadTimeoutMs, type UploadPlan } from './upload-plan.ts';

const NEEDS = 's3:PutObject and s3:AbortMultipartUpload';
/** Codes of status 400 after which the same body may be accepted. */
const TRANSIENT_CODES = new Set([
  'RequestTimeout',
  'BadDigest',
  'IncompleteBody',
  'XAmzContentSHA256Mismatch',
]);
/** Joining many parts takes minutes. */
const COMPLETION_MS = 600_000;
const MAX_REPLY_BYTES = 1 << 20;
const CHANGED = 'another program wrote or deleted the object meanwhile, so it is not replaced';

/** What the server says about an object. */
interface ObjectVersion {
  etag: string | undefined;
  bytes: number;
  /** Set in a bucket that keeps versions. */
  versionId: string | undefined;
}

/** What is there under a key. Without the permission to read, it is unknown. */
type FoundObject = ObjectVersion | 'absent' | 'unknown';

/** A part that was stored. */
interface StoredPart {
  etag: string;
  md5: Buffer;
}

/** Writes objects to an S3 bucket. */
export class S3Writer implements ObjectWriter {
  readonly #access: BucketAccess;
  readonly #address: BucketAddress;

  constructor(access: BucketAccess, address: BucketAddress) {
    this.#access = access;
    this.#address = address;
  }

  async claim(key: string, options: UploadOptions = {}): Promise<ClaimedObject> {
    const path = encodeKey(key);
    // First, because a refusal of HEAD has no body, which would tell the region of the bucket.
    await this.#abort(path, await this.#begin(path, 'application/octet-stream'), options);
    options.signal?.throwIfAborted();
    const present = await this.#head(path, options.signal);
    // The condition on the upload. Without the permission to read, the version is not known.
    const condition: Headers =
      present === 'absent'
        ? { 'if-none-match': '*' }
        : present !== 'unknown' && present.etag !== undefined && !present.etag.startsWith('W/')
          ? { 'if-match': present.etag }
          : {};
    return { upload: (source) => this.#upload(path, source, condition, options) };
  }

  async #upload(
    path: string,
    source: UploadSource,
    condition: Headers,
    options: UploadOptions,
  ): Promise<void> {
    const { signal, partBytes = PART_BYTES } = options;
    signal?.throwIfAborted();
    const plan = planUpload(source.size, partBytes);
    if (!plan) throw this.#replyError(path, `${source.size} bytes are more than the 5 TiB of an object`);
    const etag =
      source.size <= partBytes
        ? await this.#put(path, source, condition, options)
        : await this.#putInParts(path, source, plan, condition, options);
    await this.#check(path, source, etag, options);
  }

  /** Writes a small object in one request. @returns Its ETag. */
  async #put(
    path: string,
    source: UploadSource,
    condition: Headers,
    options: UploadOptions,
  ): Promise<string> {
    const body = new Uint8Array(source.size);
    await source.read(body, 0);
    const md5 = createHash('md5').update(body).digest();
    const own = `"${md5.toString('hex')}"`;
    let answer: ObjectReply;
    try {
      answer = await this.#conditionally(condition, (headers) =>
        this.#sendBody(path, body, md5, options, { ...headers, 'content-type': source.contentType }),
      );
    } catch (error) {
      options.signal?.throwIfAborted();
      const found = await this.#look(path);
      if (isObject(found, source.size, own)) return own; // only the reply was lost
      // A server may refuse a body before it has read it, and close the connection: the reply is then lost.
      if (hasChanged(found, condition)) throw this.#replyError(path, CHANGED, 412, error);
      throw error;
    }
    if (answer.reply.status !== 200) {
      if (isConflict(answer) && (await this.#isWritten(path, source.size, own))) return own;
      throw this.#refused(path, answer);
    }
    const { etag } = versionOf(answer);
    if (etag === undefined) return own;
    if (isDigest(etag, answer) && etag !== own) await this.#removeWrong(path, answer, options);
    return etag;
  }

  async #putInParts(
    path: string,
    source: UploadSource,
    plan: UploadPlan,
    condition: Headers,
    options: UploadOptions,
  ): Promise<string> {
    const id = await this.#begin(path, source.contentType);
    try {
      const parts = await this.#sendParts(path, id, source, plan, options);
      options.signal?.throwIfAborted();
      return await this.#complete(path, id, source, parts, condition, options);
    } catch (error) {
      await this.#abort(path, id, options);
      throw error;
    }
  }

  /** Begins an upload. An abort does not end it: the upload could not be removed without its ID. */
  async #begin(path: string, contentType: string): Promise<string> {
    const answer = await this.#access.request(`${path}?uploads=`, {
      ...bodyOf(new Uint8Array(0), { 'content-type': contentType }),
      method: 'POST',
    });
    if (answer.reply.status !== 200) throw this.#refused(path, answer);
    const id = readUploadId(answer.reply.body);
    if (id === undefined) throw this.#replyError(path, 'the server did not name the upload that it began');
    return id;
  }

  /** Sends all parts, some at once. After a failure the parts in flight are ended. */
  #sendParts(
    path: string,
    id: string,
    source: UploadSource,
    plan: UploadPlan,
    options: UploadOptions,
  ): Promise<StoredPart[]> {
    return withJointSignal([options.signal], async (joint) => {
      const stored = new Array<StoredPart>(plan.parts);
      let next = 0;
      const sendSome = async (): Promise<void> => {
        const memory = new Uint8Array(Math.min(plan.partBytes, source.size));
        for (let part = next++; part < plan.parts; part = next++) {
          const [start, end] = partRange(source.size, plan, part),
            body = memory.subarray(0, end - start);
          await source.read(body, start);
          joint.signal.throwIfAborted();
          stored[part] = await this.#sendPart(path, id, part, body, { ...options, signal: joint.signal });
        }
      };
      const sending = Array.from({ length: plan.atOnce }, () =>
        sendSome().catch((error: unknown) => {
          joint.abort(error);
          throw error;
        }),
      );
      const failed = (await Promise.allSettled(sending)).find(({ status }) => status === 'rejected');
      if (failed) throw joint.signal.reason as Error;
      return stored;
    });
  }

  async #sendPart(
    path: string,
    id: string,
    part: number,
    body: Uint8Array,
    options: UploadOptions,
  ): Promise<StoredPart> {
    const md5 = createHash('md5').update(body).digest();
    const query = `partNumber=${part + 1}&uploadId=${encodeURIComponent(id)}`;
    const answer = await this.#sendBody(`${path}?${query}`, body, md5, options);
    if (answer.reply.status !== 200) throw this.#refused(path, answer);
    const { etag } = versionOf(answer);
    if (etag === undefined) throw this.#replyError(path, `the reply to part ${part + 1} has no ETag`);
    if (isDigest(etag, answer) && etag !== `"${md5.toString('hex')}"`)
      throw this.#replyError(path, `the server stored other bytes than those of part ${part + 1}`);
    return { etag, md5 };
  }

  /** Makes the object of its parts. From here on, an abort comes too late. @returns The ETag of the object. */
  async #complete(
    path: string,
    id: string,
    { size }: UploadSource,
    parts: readonly StoredPart[],
    condition: Headers,
    options: UploadOptions,
  ): Promise<string> {
    const body = Buffer.from(completionXml(parts.map(({ etag }) => etag)));
    const request = (headers: Headers): BucketRequest => ({
      ...bodyOf(body, { 'content-type': 'application/xml', ...headers }),
      method: 'POST',
      idleTimeoutMs: COMPLETION_MS,
    });
    // The ETag of an object in parts, unless the server encrypts it with a key of its own.
    const own = `"${createHash('md5')
      .update(Buffer.concat(parts.map(({ md5 }) => md5)))
      .digest('hex')}-${parts.length}"`;
    const retries = new UploadRetries(options);
    for (;;) {
      let answer: ObjectReply;
      try {
        answer = await this.#conditionally(condition, (headers) =>
          this.#access.request(`${path}?uploadId=${encodeURIComponent(id)}`, request(headers)),
        );
      } catch (error) {
        if (await this.#isWritten(path, size, own)) return own;
        throw this.#replyError(
          path,
          'no answer came to the last step of the upload: check whether the object is there',
          undefined,
          error,
        );
      }
      if (answer.reply.status !== 200) {
        // An earlier try may have succeeded, although its reply was lost.
        if ((isConflict(answer) || answer.reply.status === 404) && (await this.#isWritten(path, size, own)))
          return own;
        throw this.#refused(path, answer);
      }
      const made = readCompletion(answer.reply.body);
      if ('etag' in made) {
        const isComparable = parts.every(({ etag, md5 }) => etag === `"${md5.toString('hex')}"`);
        if (isComparable && /^"[\da-f]{32}-\d+"$/.test(made.etag) && made.etag !== own)
          await this.#removeWrong(path, answer, options);
        return made.etag;
      }
      if (!(await retries.wait()))
        throw this.#replyError(
          path,
          `the server answered 200, but did not make the object${made.code === undefined ? '' : ` (${made.code})`}`,
          200,
        );
    }
  }

  /** Checks that the object is there whole. Without the permission to read, the digests must do. */
  async #check(path: string, { size }: UploadSource, etag: string, options: UploadOptions): Promise<void> {
    const found = await this.#head(path, undefined).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
      options.warn?.(`${this.#address.url(path)} was uploaded, but could not be checked: ${error.message}`);
      return 'unknown' as const;
    });
    if (found === 'unknown') return;
    if (found === 'absent') throw this.#replyError(path, 'the object is not there after its upload');
    if (found.etag !== undefined && found.etag !== etag)
      throw this.#replyError(path, 'another program replaced the object right after its upload', 412);
    if (found.bytes !== size) await this.#removeWrong(path, undefined, options, found);
  }

  /** Whether the object is the one that was sent, by its size and its digest. */
  async #isWritten(path: string, size: number, own: string): Promise<boolean> {
    return isObject(await this.#look(path), size, own);
  }

  /** What is there, after a request whose reply was lost. */
  #look(path: string): Promise<FoundObject> {
    return this.#head(path, undefined).catch(() => 'unknown' as const);
  }

  async #head(path: string, signal: AbortSignal | undefined): Promise<FoundObject> {
    const answer = await this.#access.request(path, {
      method: 'HEAD',
      headers: { 'accept-encoding': 'identity' },
      signal,
    });
    const { status } = answer.reply;
    if (status === 200) return versionOf(answer);
    if (status === 404) return 'absent';
    if (status === 400 || status === 401 || status === 403) return 'unknown';
    throw this.#refused(path, answer);
  }

  async #abort(path: string, id: string, { warn }: UploadOptions): Promise<void> {
    const url = this.#address.url(path);
    await removeQuietly(
      (signal) =>
        this.#access.request(`${path}?uploadId=${encodeURIComponent(id)}`, {
          method: 'DELETE',
          signal,
          retry: true,
        }),
      (why) =>
        warn?.(
          `the unfinished upload ${id} of ${url} could not be removed (${why}). It is not visible, but its parts are stored until it is aborted: aws s3api abort-multipart-upload, or a lifecycle rule of the bucket`,
        ),
    );
  }

  /** Deletes an object that is not what was sent. @throws RequestError BAD_RESPONSE always. */
  async #removeWrong(
    path: string,
    answer: ObjectReply | undefined,
    { warn }: UploadOptions,
    found: ObjectVersion | undefined = answer && versionOf(answer),
  ): Promise<never> {
    const version = found?.versionId === undefined ? '' : `?versionId=${encodeURIComponent(found.versionId)}`;
    await removeQuietly(
      (signal) => this.#access.request(`${path}${version}`, { method: 'DELETE', signal, retry: true }),
      (why) => warn?.(`${this.#address.url(path)} is wrong and could not be deleted (${why}): delete it`),
    );
    throw this.#replyError(path, 'the server stored other bytes than those that were sent');
  }

  /** Sends a body with its digests, again if it was damaged on its way. */
  async #sendBody(
    path: string,
    body: Uint8Array,
    md5: Buffer,
    options: UploadOptions,
    headers: Headers = {},
  ): Promise<ObjectReply> {
    const request = {
      ...bodyOf(body, { ...headers, 'content-md5': md5.toString('base64') }),
      method: 'PUT' as const,
      signal: options.signal,
    };
    const retries = new UploadRetries(options);
    for (;;) {
      const answer = await this.#access.request(path, request);
      if (!TRANSIENT_CODES.has(s3Error(answer.reply).code ?? '') || !(await retries.wait())) return answer;
    }
  }

  /** Sends a request on a condition; without it if the server does not know conditions. */
  async #conditionally(
    condition: Headers,
    send: (headers: Headers) => Promise<ObjectReply>,
  ): Promise<ObjectReply> {
    const answer = await send(condition);
    return Object.keys(condition).length > 0 && s3Error(answer.reply).code === 'NotImplemented'
      ? send({})
      : answer;
  }

  #refused(path: string, answer: ObjectReply): RequestError {
    const { code } = s3Error(answer.reply);
    return uploadRefusedError({ answer, url: this.#address.url(path), code, needs: NEEDS });
  }

  #replyError(path: string, what: string, status?: number, cause?: unknown): RequestError {
    return uploadReplyError(this.#address.url(path), what, status, cause);
  }
}

/** Makes the parts of a request that follow from its body. */
function bodyOf(body: Uint8Array, headers: Headers): BucketRequest {
  return {
    body,
    headers: {
      ...headers,
      'accept-encoding': 'identity',
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    },
    retry: true,
    maxBytes: MAX_REPLY_BYTES,
    idleTimeoutMs: uploadTimeoutMs(body.byteLength),
  };
}

/** Whether an object is the one that was sent, by its size and its digest. */
const isObject = (found: FoundObject, size: number, own: string): boolean =>
  typeof found === 'object' && found.etag === own && found.bytes === size;

/** Whether the condition of an upload no longer holds. */
const hasChanged = (found: FoundObject, condition: Headers): boolean =>
  found === 'absent'
    ? 'if-match' in condition
    : found !== 'unknown' &&
      ('if-none-match' in condition || ('if-match' in condition && condition['if-match'] !== found.etag));

const isConflict = ({ reply: { status } }: ObjectReply): boolean => status === 412 || status === 409;

const headerOf = ({ reply }: ObjectReply, name: string): string | undefined => {
  const value = reply.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const versionOf = (answer: ObjectReply): ObjectVersion => ({
  etag: headerOf(answer, 'etag'),
  bytes: Number(headerOf(answer, 'content-length') ?? NaN),
  versionId: headerOf(answer, 'x-amz-version-id'),
});

/** Whether an ETag is the MD5 of the bytes. With a key of the user or of KMS, it is not. */
const isDigest = (etag: string, answer: ObjectReply): boolean =>
  /^"[\da-f]{32}"$/.test(etag) &&
  !/kms/i.test(headerOf(answer, 'x-amz-server-side-encryption') ?? '') &&
  headerOf(answer, 'x-amz-server-side-encryption-customer-algorithm') === undefined;
