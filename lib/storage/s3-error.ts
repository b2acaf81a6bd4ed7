/** Reads the XML of a failed S3 reply. Source: Amazon S3 API reference, "REST error responses". */
import type { HttpReply } from '../http/http-request.ts';

/** What a failed S3 reply says. */
export interface S3Error {
  /** Such as `AccessDenied`. */
  code?: string;
  /** The region of the bucket, if the reply names it. */
  region?: string;
}

const REGION = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/;

/**
 * Returns the error code and the region of a failed reply. Anything that does not look like one is dropped.
 */
export function s3Error({ headers, body }: HttpReply): S3Error {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 4096)).toString('latin1');
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>([\\w.-]{1,64})</${name}>`).exec(text)?.[1];
  const header = headers['x-amz-bucket-region'];
  const region = (Array.isArray(header) ? header[0] : header) ?? field('Region');
  return { code: field('Code'), region: region !== undefined && REGION.test(region) ? region : undefined };
}
