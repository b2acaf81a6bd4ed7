/**
 * Writes objects to a Google bucket with resumable uploads. Google gets the MD5 digest first, and makes no
 * object with another digest.
 * Source: Google Cloud Storage, "Resumable uploads", "Perform resumable uploads" and "Request preconditions".
 */
import { RequestError } from '../../base/errors.ts';
import { registerSecret } from '../../base/secret-redaction.ts';
import { decideByError, decideByStatus } from '../../failures/retry-decision.ts';
import type { BucketAccess } from '../bucket-access.ts';
import type { ObjectReply } from '../http-store.ts';
import { encodeKey } from '../keys.ts';
import { readGsObject, readGsReason, readStoredBytes } from './gs-replies.ts';
import type { ClaimedObject, ObjectWriter, UploadOptions, UploadSource } from './object-writer.ts';
import { removeQuietly } from './remove-quietly.ts';
import { uploadRefusedError, uploadReplyError } from './upload-errors.ts';
import { PART_BYTES, planUpload, uploadTimeoutMs } from './upload-plan.ts';
import { UploadRetries } from './upload-retries.ts';

const NEEDS = 'storage.objects.create, and storage.objects.delete to replace an object';
const HEADERS = { 'accept-encoding': 'identity' };
/** Google stores multiples of this. A server that stores less at a time would take forever. */
const STEP_BYTES = 2 ** 18;
const MAX_REPLY_BYTES = 1 << 20;

/** Where a bucket is. */
export interface GsLocation {
  /** The URL of the server, without a slash at its end. */
  root: string;
  bucket: string;
  /** Encoded path within the bucket; empty or with a slash at its end. */
  prefix: string;
}

/** Writes objects to a Google bucket. */
export class GsWriter implements ObjectWriter {
  readonly #access: BucketAccess;
  readonly #location: GsLocation;

  constructor(access: BucketAccess, location: GsLocation) {
    this.#access = access;
    this.#location = location;
  }

  async claim(key: string, options: UploadOptions = {}): Promise<ClaimedObject> {
    const object = new GsObjectUpload(this.#access, this.#location, encodeKey(key), options);
    const generation = await object.generation();
    await object.cancel(await object.begin('application/octet-stream'));
    options.signal?.throwIfAborted();
    return { upload: (source) => object.upload(source, generation) };
  }
}

/** The uploads of one object. */
class GsObjectUpload {
  readonly #access: BucketAccess;
  readonly #options: UploadOptions;
  readonly #root: string;
  /** The object in the JSON API, where a slash of its name is `%2F`. */
  readonly #name: string;
  readonly #bucket: string;
  /** The URL of the object, for messages. */
  readonly #url: string;

  constructor(access: BucketAccess, location: GsLocation, path: string, options: UploadOptions) {
    const { root, bucket, prefix } = location;
    this.#access = access;
    this.#options = options;
    this.#root = root;
    this.#bucket = bucket;
    this.#name = `${prefix}${path}`.replaceAll('/', '%2F');
    this.#url = `${root}/${bucket}/${prefix}${path}`;
  }

  get #path(): string {
    return `storage/v1/b/${this.#bucket}/o/${this.#name}`;
  }

  /** Returns the generation of the present object, 0 if there is none, undefined if it may not be read. */
  async generation(): Promise<string | undefined> {
    const answer = await this.#access.request(`${this.#path}?fields=generation`, {
      headers: HEADERS,
      signal: this.#options.signal,
      maxBytes: MAX_REPLY_BYTES,
    });
    const { status, body } = answer.reply;
    if (status === 200) return readGsObject(body).generation;
    if (status === 404) return '0';
    if (status === 401 || status === 403) return undefined;
    throw this.#refused(answer);
  }

  /**
   * Begins an upload. An abort does not end it: the upload could not be removed without its URL.
   * @returns The URL of its session, which is a secret: it needs no token.
   */
  async begin(
    contentType: string,
    { source, generation }: { source?: UploadSource; generation?: string } = {},
  ): Promise<string> {
    const condition = generation === undefined ? '' : `&ifGenerationMatch=${generation}`;
    const metadata = { contentType, ...(source && { md5Hash: Buffer.from(source.md5).toString('base64') }) };
    const answer = await this.#access.request(
      `upload/storage/v1/b/${this.#bucket}/o?uploadType=resumable&name=${this.#name}${condition}`,
      {
        method: 'POST',
        body: Buffer.from(JSON.stringify(metadata)),
        headers: {
          ...HEADERS,
          'content-type': 'application/json; charset=UTF-8',
          'x-upload-content-type': contentType,
          ...(source && { 'x-upload-content-length': String(source.size) }),
        },
        retry: true,
        maxBytes: MAX_REPLY_BYTES,
      },
    );
    const { status, headers } = answer.reply;
    if (status !== 200 && status !== 201) throw this.#refused(answer);
    return this.#sessionOf(headers.location);
  }

  /** Reads the URL of a session. The rows, and a token, go to no other server than the one that the user named. */
  #sessionOf(location: string | undefined): string {
    const session =
      location !== undefined && URL.canParse(location, this.#root)
        ? new URL(location, this.#root)
        : undefined;
    const { origin } = new URL(this.#root);
    if (!session) throw uploadReplyError(this.#url, 'the server did not name the upload that it began');
    registerSecret(session.searchParams.get('upload_id') ?? session.search);
    if (session.origin !== origin)
      throw uploadReplyError(
        this.#url,
        `the server wants the upload at ${session.origin}, which is not ${origin}`,
      );
    return session.href;
  }

  async upload(source: UploadSource, generation: string | undefined): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (!planUpload(source.size))
      throw uploadReplyError(this.#url, `${source.size} bytes are more than the 5 TiB of an object`);
    const session = await this.begin(source.contentType, { source, generation });
    let made: ObjectReply;
    try {
      made = await this.#send(session, source);
    } catch (error) {
      await this.cancel(session);
      throw error;
    }
    await this.#check(made, source);
  }

  /** Sends all bytes, from where the server is. @returns The reply that describes the object. */
  async #send(session: string, source: UploadSource): Promise<ObjectReply> {
    const { size } = source,
      { signal, partBytes = PART_BYTES } = this.#options;
    const memory = new Uint8Array(Math.min(partBytes, size));
    let retries = new UploadRetries(this.#options);
    for (let stored = 0; ;) {
      const body = memory.subarray(0, Math.min(partBytes, size - stored));
      await source.read(body, stored);
      signal?.throwIfAborted();
      let answer = await this.#put(
        session,
        body,
        size === 0 ? '*/0' : `${stored}-${stored + body.length - 1}/${size}`,
      );
      let decision =
        answer instanceof RequestError
          ? decideByError('reads', answer)
          : decideByStatus('reads', answer.reply.status);
      if (answer instanceof RequestError || decision !== 'final') {
        const retryAfter = answer instanceof RequestError ? undefined : answer.reply.headers['retry-after'];
        if (!(await retries.wait(decision, retryAfter)))
          throw answer instanceof RequestError ? answer : this.#refused(answer);
        answer = await this.#put(session, new Uint8Array(0), `*/${size}`, true);
        decision = 'wait';
        if (answer instanceof RequestError) throw answer;
      }
      const { status, headers } = answer.reply;
      if (status === 200 || status === 201) return answer;
      if (status === 404 || status === 410)
        throw uploadReplyError(this.#url, 'the server has removed the unfinished upload', status);
      if (status !== 308) throw this.#refused(answer);
      const now = readStoredBytes(headers.range);
      if (now === undefined || now < stored || now > stored + body.length)
        throw uploadReplyError(
          this.#url,
          `the server stored a range that was not sent: ${String(headers.range).slice(0, 60)}`,
          308,
        );
      if (now - stored >= STEP_BYTES || now === stored + body.length)
        retries = new UploadRetries(this.#options);
      else if (decision === 'final' && !(await retries.wait()))
        throw uploadReplyError(this.#url, 'the server stores too little of what it is sent', 308);
      stored = now;
    }
  }

  /** Sends a part, or asks how much is stored. Resolves with an error of the connection. */
  #put(session: string, body: Uint8Array, range: string, retry = false): Promise<ObjectReply | RequestError> {
    return this.#access
      .request(session, {
        method: 'PUT',
        body,
        headers: { ...HEADERS, 'content-range': `bytes ${range}` },
        signal: this.#options.signal,
        retry,
        maxBytes: MAX_REPLY_BYTES,
        idleTimeoutMs: uploadTimeoutMs(body.byteLength),
      })
      .catch((error: unknown) => {
        if (error instanceof RequestError) return error;
        throw error;
      });
  }

  /** Checks that the object is what was sent. If it is not, it is deleted. */
  async #check({ reply }: ObjectReply, { size, md5 }: UploadSource): Promise<void> {
    const object = readGsObject(reply.body);
    const digest = Buffer.from(md5).toString('base64');
    if (object.size === size && (object.md5Hash === undefined || object.md5Hash === digest)) return;
    const { generation } = object,
      query = generation === undefined ? '' : `?generation=${generation}`;
    if (object.size !== undefined)
      await removeQuietly(
        (signal) =>
          this.#access.request(`${this.#path}${query}`, {
            method: 'DELETE',
            signal,
            retry: true,
            headers: HEADERS,
          }),
        (why) => this.#options.warn?.(`${this.#url} is wrong and could not be deleted (${why}): delete it`),
      );
    throw uploadReplyError(
      this.#url,
      object.size === undefined
        ? 'the server did not describe the object that it made: check it'
        : 'the server stored other bytes than those that were sent',
      reply.status,
    );
  }

  async cancel(session: string): Promise<void> {
    await removeQuietly(
      (signal) => this.#access.request(session, { method: 'DELETE', signal, retry: true, headers: HEADERS }),
      (why) =>
        this.#options.warn?.(
          `the unfinished upload of ${this.#url} could not be removed (${why}). It is not visible, and the server removes it after a week`,
        ),
    );
  }

  #refused(answer: ObjectReply): RequestError {
    const code = readGsReason(answer.reply.body);
    return uploadRefusedError({ answer, url: this.#url, code, needs: NEEDS });
  }
}
