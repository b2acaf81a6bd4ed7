/**
 * Writes to a mocked S3 bucket: PutObject, DeleteObject and multipart uploads, with the conditions, the
 * digests and the errors of Amazon S3.
 * Sources: Amazon S3 API reference, PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload,
 * AbortMultipartUpload, ListMultipartUploads and "Error responses".
 */
import { createHash } from 'node:crypto';
import { bucketError, bucketErrorPage } from './bucket-errors.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import type { StoredObjects } from './stored-objects.ts';
import type { StoredFile } from './stored-file.ts';

/** An upload that was begun, and neither completed nor aborted. */
export interface UnfinishedUpload {
  /** The ID of the upload. */
  id: string;
  /** The key of the object. */
  key: string;
  /** The bytes that are stored so far. */
  bytes: number;
}

const XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

interface Upload {
  key: string;
  contentType: string | undefined;
  parts: Map<number, { bytes: Uint8Array; md5: Buffer }>;
}

/** Carries out the requests that change a bucket. */
export class S3Uploads {
  readonly #objects: StoredObjects;
  readonly #minPartBytes: number;
  readonly #uploads = new Map<string, Upload>();
  #begun = 0;

  constructor(objects: StoredObjects, minPartBytes: number) {
    this.#objects = objects;
    this.#minPartBytes = minPartBytes;
  }

  get unfinished(): UnfinishedUpload[] {
    return [...this.#uploads].map(([id, { key, parts }]) => ({
      id,
      key,
      bytes: [...parts.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    }));
  }

  /** Answers a request; undefined if it only reads an object. */
  handle(request: MockRequest, key: string): MockResponse | undefined {
    const { method, query, body, headers } = request,
      id = query.get('uploadId');
    const damaged = checkDigests(request);
    if (damaged) return damaged;
    if (method === 'GET' && query.has('uploads')) return this.#list();
    if (method === 'POST' && query.has('uploads')) return this.#begin(key, headers['content-type']);
    if (method === 'POST' && id !== null) return this.#complete(id, key, request);
    if (method === 'PUT' && id !== null) return this.#storePart(id, key, query.get('partNumber'), body);
    if (method === 'PUT') return this.#put(key, request);
    if (method === 'DELETE' && id !== null) return this.#abort(id, key);
    if (method !== 'DELETE') return undefined;
    this.#objects.delete(key);
    return { status: 204, headers: {}, body: new Uint8Array(0) };
  }

  #list(): MockResponse {
    const uploads = this.unfinished
      .map(({ id, key }) => `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></Upload>`)
      .join('');
    return xml(`<ListMultipartUploadsResult ${XMLNS}>${uploads}</ListMultipartUploadsResult>`);
  }

  #put(key: string, { body, headers }: MockRequest): MockResponse {
    const refused = this.#checkConditions(key, headers);
    if (refused) return refused;
    const { etag } = this.#objects.put(key, storedFile(body.slice(), headers['content-type']));
    return { status: 200, headers: { etag }, body: new Uint8Array(0) };
  }

  #begin(key: string, contentType: string | undefined): MockResponse {
    const id = `mock-upload-${++this.#begun}`;
    this.#uploads.set(id, { key, contentType, parts: new Map() });
    return xml(
      `<InitiateMultipartUploadResult ${XMLNS}><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  #find(id: string, key: string): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload?.key === key ? upload : undefined;
  }

  #storePart(id: string, key: string, partNumber: string | null, body: Uint8Array): MockResponse {
    const upload = this.#find(id, key),
      number = Number(partNumber);
    if (!upload) return noSuchUpload();
    if (!Number.isInteger(number) || number < 1 || number > 10_000)
      return invalid('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    const md5 = createHash('md5').update(body).digest();
    upload.parts.set(number, { bytes: body.slice(), md5 });
    return { status: 200, headers: { etag: `"${md5.toString('hex')}"` }, body: new Uint8Array(0) };
  }

  #complete(id: string, key: string, { body, headers }: MockRequest): MockResponse {
    const upload = this.#find(id, key);
    if (!upload) return noSuchUpload();
    const named = [
      ...Buffer.from(body)
        .toString()
        .matchAll(/<Part>(.*?)<\/Part>/gs),
    ].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: /<ETag>(.*?)<\/ETag>/.exec(part)?.[1].replace(/&quot;|&#34;|"/g, ''),
    }));
    if (named.length === 0) return invalid('MalformedXML', 'The XML you provided was not well-formed');
    if (named.some(({ number }, k) => k > 0 && number <= named[k - 1].number))
      return invalid('InvalidPartOrder', 'The list of parts was not in ascending order.');
    const parts = named.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      return part?.md5.toString('hex') === etag ? part : undefined;
    });
    if (parts.includes(undefined))
      return invalid('InvalidPart', 'One or more of the specified parts could not be found.');
    const found = parts as { bytes: Uint8Array; md5: Buffer }[];
    if (found.slice(0, -1).some(({ bytes }) => bytes.byteLength < this.#minPartBytes))
      return invalid('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
    const refused = this.#checkConditions(key, headers);
    if (refused) return refused;
    const digests = createHash('md5').update(Buffer.concat(found.map(({ md5 }) => md5)));
    const etag = `"${digests.digest('hex')}-${found.length}"`;
    this.#objects.put(key, {
      ...storedFile(Buffer.concat(found.map(({ bytes }) => bytes)), upload.contentType),
      etag,
    });
    this.#uploads.delete(id);
    return xml(
      `<CompleteMultipartUploadResult ${XMLNS}><Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #abort(id: string, key: string): MockResponse {
    if (!this.#find(id, key)) return noSuchUpload();
    this.#uploads.delete(id);
    return { status: 204, headers: {}, body: new Uint8Array(0) };
  }

  #checkConditions(key: string, headers: Record<string, string>): MockResponse | undefined {
    const { 'if-match': match, 'if-none-match': noneMatch } = headers,
      present = this.#objects.find(key);
    if (match !== undefined && !present) return bucketError('s3', 404);
    return (noneMatch === '*' && present) || (match !== undefined && present?.etag !== match)
      ? bucketError('s3', 412)
      : undefined;
  }
}

/** Refuses a body that differs from its digests. */
function checkDigests({ headers, body }: MockRequest): MockResponse | undefined {
  const { 'content-md5': md5, 'x-amz-content-sha256': sha256 } = headers;
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5)
    return invalid('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  if (/^[\da-f]{64}$/.test(sha256 ?? '') && createHash('sha256').update(body).digest('hex') !== sha256)
    return invalid(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  return undefined;
}

const storedFile = (bytes: Uint8Array, contentType: string | undefined): StoredFile => ({
  bytes,
  contentType,
});

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const xml = (content: string): MockResponse =>
  reply(200, 'application/xml', `<?xml version="1.0" encoding="UTF-8"?>\n${content}`);

const invalid = (code: string, message: string): MockResponse =>
  bucketErrorPage('s3', 400, { code, message });

const noSuchUpload = (): MockResponse =>
  bucketErrorPage('s3', 404, {
    code: 'NoSuchUpload',
    message:
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  });
