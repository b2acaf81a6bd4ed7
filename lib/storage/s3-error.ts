/** The XML of a failing S3 reply. Source: Amazon S3 API reference, "REST error responses". */
import type { HttpReply } from '../http/http-request.ts';

export interface S3Error {
  /** Such as `AccessDenied`. */
  code?: string;
  /** Where the bucket is, if this reply says so. */
  region?: string;
}

const REGION = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** Only a code and a region that look like one: the rest may hold anything. */
export function s3Error({ headers, body }: HttpReply): S3Error {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 4096)).toString('latin1');
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>([\\w.-]{1,64})</${name}>`).exec(text)?.[1];
  const header = headers['x-amz-bucket-region'];
  const region = (Array.isArray(header) ? header[0] : header) ?? field('Region');
  return { code: field('Code'), region: region !== undefined && REGION.test(region) ? region : undefined };
}
