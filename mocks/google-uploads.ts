/**
 * Writes to a mocked Google bucket: resumable uploads through the JSON API, with its conditions, digests and
 * errors.
 * Sources: Google Cloud Storage, "Resumable uploads", "Perform resumable uploads", "Objects" and "HTTP status
 * and error codes for JSON".
 */
import { createHash } from 'node:crypto';
import { refuse } from './bucket-errors.ts';
import { DEFAULT_ORIGIN, reply, type MockRequest, type MockResponse } from './message.ts';
import type { UnfinishedUpload } from './s3-uploads.ts';
import type { StoredObjects } from './stored-objects.ts';

/** Only multiples of this are stored before the last byte has come. */
const STEP_BYTES = 2 ** 18;

/** The fields of an object that a client may set. */
interface Metadata {
  contentType?: string;
  md5Hash?: string;
}

interface Session extends Metadata {
  key: string;
  condition: string | null;
  parts: Uint8Array[];
  stored: number;
  /** The reply of the finished upload. */
  made?: MockResponse;
}

/** Carries out the requests of the JSON API. */
export class GoogleUploads {
  readonly #objects: StoredObjects;
  readonly #token: string | undefined;
  readonly #sessions = new Map<string, Session>();
  #begun = 0;

  constructor(objects: StoredObjects, token: string | undefined) {
    this.#objects = objects;
    this.#token = token;
  }

  get unfinished(): UnfinishedUpload[] {
    return [...this.#sessions]
      .filter(([, { made }]) => !made)
      .map(([id, { key, stored }]) => ({ id, key, bytes: stored }));
  }

  /** Answers a request to the JSON API; undefined for another path. */
  handle(request: MockRequest): MockResponse | undefined {
    const { method, path, query } = request;
    const [, upload, name] = /^\/(upload\/)?storage\/v1\/b\/[^/]+\/o(?:\/([^/]+))?$/.exec(path) ?? [];
    if (upload === undefined && name === undefined) return undefined;
    const id = query.get('upload_id');
    if (upload !== undefined && id !== null) return this.#continue(id, request); // a session needs no token
    const refused =
      this.#token === undefined ? undefined : refuse('gs', this.#token, request.headers.authorization);
    if (refused) return error(refused.status, refused.status === 401 ? 'authError' : 'forbidden');
    if (upload !== undefined)
      return method === 'POST' ? this.#begin(request) : error(405, 'methodNotAllowed');
    const key = decodeURIComponent(name);
    const present = this.#objects.find(key);
    if (!present) return error(404, 'notFound');
    if (method === 'GET') return this.#describe(key);
    if (method !== 'DELETE') return error(405, 'methodNotAllowed');
    const wanted = query.get('generation') ?? query.get('ifGenerationMatch');
    if (wanted !== null && wanted !== String(present.generation))
      return query.has('generation') ? error(404, 'notFound') : error(412, 'conditionNotMet');
    this.#objects.delete(key);
    return { status: 204, headers: {}, body: new Uint8Array(0) };
  }

  #begin({ query, body, path, origin = DEFAULT_ORIGIN }: MockRequest): MockResponse {
    const key = query.get('name'),
      condition = query.get('ifGenerationMatch');
    if (key === null || key === '' || query.get('uploadType') !== 'resumable') return error(400, 'required');
    const metadata = parseMetadata(body);
    if (!metadata) return error(400, 'parseError');
    if (!this.#meets(key, condition)) return error(412, 'conditionNotMet');
    const id = `mock-session-${++this.#begun}`;
    this.#sessions.set(id, { ...metadata, key, condition, parts: [], stored: 0 });
    return {
      status: 200,
      headers: { location: `${origin}${path}?uploadType=resumable&upload_id=${id}` },
      body: new Uint8Array(0),
    };
  }

  #continue(id: string, { method, headers, body }: MockRequest): MockResponse {
    const session = this.#sessions.get(id);
    if (!session) return error(410, 'gone');
    if (method === 'DELETE') {
      if (!session.made) this.#sessions.delete(id);
      return session.made ?? error(499, 'clientClosedRequest');
    }
    if (method !== 'PUT') return error(405, 'methodNotAllowed');
    if (session.made) return session.made;
    const [, first, last, total] =
      /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (total === undefined) return error(400, 'badRequest');
    if (first !== undefined) {
      if (Number(last) - Number(first) + 1 !== body.byteLength || Number(first) > session.stored)
        return error(400, 'invalid');
      const isLast = Number(last) + 1 === Number(total);
      const fresh = body.subarray(session.stored - Number(first)); // bytes that are stored are ignored
      const kept = isLast ? fresh.byteLength : fresh.byteLength - (fresh.byteLength % STEP_BYTES);
      session.parts.push(fresh.slice(0, kept));
      session.stored += kept;
    }
    return session.stored === Number(total) ? this.#finish(id, session) : resumeAt(session.stored);
  }

  #finish(id: string, session: Session): MockResponse {
    const { key, condition, contentType, md5Hash, parts } = session;
    const bytes = Buffer.concat(parts);
    this.#sessions.delete(id);
    if (md5Hash !== undefined && createHash('md5').update(bytes).digest('base64') !== md5Hash)
      return error(400, 'invalid');
    if (!this.#meets(key, condition)) return error(412, 'conditionNotMet');
    this.#objects.put(key, { bytes, contentType });
    session.made = this.#describe(key);
    this.#sessions.set(id, session);
    return session.made;
  }

  #meets(key: string, condition: string | null): boolean {
    return condition === null || condition === String(this.#objects.find(key)?.generation ?? 0);
  }

  #describe(key: string): MockResponse {
    const { bytes, generation, contentType } = this.#objects.find(key)!;
    const md5Hash = createHash('md5').update(bytes).digest('base64');
    return json(200, {
      kind: 'storage#object',
      name: key,
      generation: String(generation),
      size: String(bytes.byteLength),
      md5Hash,
      contentType,
    });
  }
}

function parseMetadata(body: Uint8Array): Metadata | undefined {
  try {
    const { contentType, md5Hash } = JSON.parse(Buffer.from(body).toString() || '{}') as Metadata;
    return { contentType, md5Hash };
  } catch {
    return undefined;
  }
}

const json = (status: number, value: object): MockResponse =>
  reply(status, 'application/json; charset=UTF-8', JSON.stringify(value));

const error = (status: number, reason: string): MockResponse =>
  json(status, {
    error: { code: status, message: reason, errors: [{ domain: 'global', reason, message: reason }] },
  });

const resumeAt = (stored: number): MockResponse => ({
  status: 308,
  headers: stored === 0 ? {} : { range: `bytes=0-${stored - 1}` },
  body: new Uint8Array(0),
});
