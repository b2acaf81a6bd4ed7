/**
 * The error replies of object stores, as Google Cloud Storage and Amazon S3 write them: XML with a code.
 * Sources: Google Cloud Storage, "HTTP status and error codes for XML"; Amazon S3 API Reference, "Error
 * responses".
 */
import { reply, type MockResponse } from './message.ts';

/** Which object store a mocked bucket imitates: Google Cloud Storage or Amazon S3. */
export type BucketStyle = 'gs' | 's3';

type ErrorStatus = 400 | 403 | 404 | 405 | 412 | 416;

interface ErrorText {
  code: string;
  message: string;
  details?: string;
}

const BOTH = {
  404: { code: 'NoSuchKey', message: 'The specified key does not exist.' },
  405: { code: 'MethodNotAllowed', message: 'The specified method is not allowed against this resource.' },
} as const;

const ERRORS: Record<BucketStyle, Record<ErrorStatus, ErrorText>> = {
  gs: {
    ...BOTH,
    400: {
      code: 'InvalidArgument',
      message: 'Invalid argument.',
      details: 'No object can have such a name.',
    },
    403: {
      code: 'AccessDenied',
      message: 'Access denied.',
      details:
        "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).",
    },
    412: {
      code: 'PreconditionFailed',
      message: 'At least one of the pre-conditions you specified did not hold.',
    },
    416: { code: 'InvalidRange', message: 'The requested range cannot be satisfied.' },
  },
  s3: {
    ...BOTH,
    400: { code: 'InvalidURI', message: "Couldn't parse the specified URI." },
    403: { code: 'AccessDenied', message: 'Access Denied' },
    412: {
      code: 'PreconditionFailed',
      message: 'At least one of the pre-conditions you specified did not hold',
    },
    416: { code: 'InvalidRange', message: 'The requested range is not satisfiable' },
  },
};

const REQUEST_ID = 'MOCK000000000000';

/** An error reply with the code and the message of that vendor. */
export const bucketError = (
  style: BucketStyle,
  status: ErrorStatus,
  headers?: Record<string, string>,
): MockResponse => bucketErrorPage(style, status, ERRORS[style][status], headers);

/** The reply of a private bucket to a request without the right token; undefined when the token is right. */
export function refuse(
  style: BucketStyle,
  token: string,
  authorization: string | undefined,
): MockResponse | undefined {
  if (authorization === `Bearer ${token}`) return undefined;
  if (style === 's3') {
    if (authorization?.includes(`Credential=${token}/`)) return undefined;
    return authorization === undefined
      ? bucketError('s3', 403)
      : bucketErrorPage('s3', 403, {
          code: 'InvalidAccessKeyId',
          message: 'The AWS Access Key Id you provided does not exist in our records.',
        });
  }
  // Google answers a wrong token with 401, and a request without a token with 403.
  if (authorization === undefined) return bucketError('gs', 403);
  return bucketErrorPage(
    'gs',
    401,
    { code: 'AuthenticationRequired', message: 'Authentication required.' },
    { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' },
  );
}

/** An error reply with any code. */
export function bucketErrorPage(
  style: BucketStyle,
  status: number,
  { code, message, details }: ErrorText,
  headers: Record<string, string> = {},
): MockResponse {
  const request = style === 's3' ? `<RequestId>${REQUEST_ID}</RequestId>` : '';
  const detailsXml = details === undefined ? '' : `<Details>${details}</Details>`;
  const content = `<Code>${code}</Code><Message>${message}</Message>${detailsXml}${request}`;
  const xml = `<?xml version='1.0' encoding='UTF-8'?><Error>${content}</Error>`;
  return reply(status, style === 'gs' ? 'application/xml; charset=UTF-8' : 'application/xml', xml, {
    ...headers,
    ...(style === 's3' && { 'x-amz-request-id': REQUEST_ID }),
  });
}
