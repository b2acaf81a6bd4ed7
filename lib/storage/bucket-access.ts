/**
 * Sends requests to a bucket: anonymously first, and with credentials once the bucket refuses that. A public
 * bucket needs no search for credentials, and a private bucket costs one refused request.
 */
import { leaveOnAbort } from '../base/abort.ts';
import { CredentialsError } from '../base/errors.ts';
import type { AddressPolicy, Headers, HttpClient, HttpReply, HttpRequest } from '../http/http-request.ts';
import type { ObjectReply, ObjectRequest } from './http-store.ts';
import type { FindSigner, Signer } from './signer.ts';

/** The address of a bucket. It changes when the server says that the bucket is elsewhere. */
export interface BucketAddress {
  /** Returns the URL of the object at an encoded path. */
  url(path: string): string;
  /**
   * Reads a new address from a reply. Returns true if `url` has changed and the request must be sent there.
   */
  learnFrom(reply: HttpReply): boolean;
  /** Returns the error code in the body of a failed reply, for messages. */
  errorCode(reply: HttpReply): string | undefined;
  readonly followRedirects: boolean;
  readonly allowAddress: AddressPolicy;
}

/** How a bucket is reached, and when its requests carry credentials. */
export interface BucketAccessOptions {
  http: HttpClient;
  address: BucketAddress;
  /** Sent with every request. */
  headers?: Headers;
  /**
   * When to send credentials: `ifRefused` sends them after an anonymous request was refused, `ifFound` with
   * every request if there are any.
   */
  sign: 'never' | 'ifRefused' | 'ifFound' | 'always';
  findSigner: FindSigner;
  /** Says what the user can do if there are no credentials, or if they must not be sent. */
  advice: () => string;
}

/** A request that may change a bucket. A body needs the header `x-amz-content-sha256` if it may be signed for S3. */
export type BucketRequest = ObjectRequest & Pick<HttpRequest, 'method' | 'body' | 'retry' | 'idleTimeoutMs'>;

/**
 * Status 400 counts as a refusal: Cloudflare sends it without a signature, and Amazon sends it for an expired
 * token.
 */
const isRefusal = ({ status }: HttpReply): boolean => status === 400 || status === 401 || status === 403;

/** Whether the reply shows that the caller may read: a body, or a range beyond the end. */
const isRead = ({ status }: HttpReply): boolean => status === 200 || status === 206 || status === 416;

/** Sends the requests for one bucket. */
export class BucketAccess {
  readonly #options: BucketAccessOptions;
  #mode: 'undecided' | 'anonymous' | 'signed';
  #finding: Promise<Signer | undefined> | undefined;
  /** Counts renewals. A request that was sent before the last renewal does not cause another. */
  #renewals = 0;
  /**
   * False after a renewal, until a signed request succeeds: new credentials that are refused stay refused.
   */
  #mayRenew = true;

  constructor(options: BucketAccessOptions) {
    this.#options = options;
    this.#mode = options.sign === 'never' ? 'anonymous' : options.sign === 'always' ? 'signed' : 'undecided';
  }

  /**
   * Sends one request. Finds out first whether the bucket needs credentials.
   *
   * @param path The encoded path of an object, with a query if the request has one.
   * @throws CredentialsError if the bucket needs credentials and there are none; the errors of
   *   `HttpClient.request`.
   */
  readonly request = async (path: string, request: BucketRequest): Promise<ObjectReply> => {
    const { headers, advice, sign } = this.#options;
    if (sign === 'ifFound' && this.#mode === 'undecided')
      this.#mode = (await this.#signer(request)) ? 'signed' : 'anonymous';
    if (this.#isSigned()) return this.#requestSigned(path, request);
    const reply = await this.#send(path, request);
    const answer: ObjectReply = { reply, isSigned: headers !== undefined };
    if (isRead(reply) && this.#mode === 'undecided') this.#mode = 'anonymous';
    if (!isRefusal(reply)) return answer;
    // Another request may have found out meanwhile.
    if (this.#isSigned()) return this.#requestSigned(path, request);
    if (this.#mode === 'anonymous') return sign === 'ifRefused' ? answer : { ...answer, advice: advice() };
    try {
      const signed = await this.#requestSigned(path, request);
      if (!isRefusal(signed.reply)) {
        this.#mode = 'signed';
        return signed;
      }
      // Returns the anonymous refusal: a 403 of an unsigned request may mean that the object is not stored.
      return { ...answer, advice: signed.advice };
    } catch (error) {
      if (error instanceof CredentialsError) return { ...answer, advice: error.message };
      throw error;
    }
  };

  #isSigned(): boolean {
    return this.#mode === 'signed';
  }

  #signer({ stop, signal }: BucketRequest): Promise<Signer | undefined> {
    return leaveOnAbort(this.#find(), stop?.signal ?? signal, () => undefined);
  }

  async #requestSigned(path: string, request: BucketRequest): Promise<ObjectReply> {
    const signer = await this.#signer(request);
    if (!signer) throw new CredentialsError('NOT_FOUND', this.#options.advice());
    for (let mayRetry = true; ; mayRetry = false) {
      const renewals = this.#renewals;
      const reply = await this.#send(path, request, signer);
      if (isRead(reply)) this.#mayRenew = true;
      if (!isRefusal(reply)) return { reply, isSigned: true };
      if (!mayRetry || !this.#renew(signer, reply, renewals)) {
        const code = this.#options.address.errorCode(reply);
        return {
          reply,
          isSigned: true,
          advice: `the credentials from ${signer.source} were refused with ${reply.status}${code === undefined ? '' : ` ${code}`}`,
        };
      }
    }
  }

  #renew(signer: Signer, refusal: HttpReply, renewals: number): boolean {
    if (renewals !== this.#renewals) return true;
    if (!this.#mayRenew || !signer.renewAfter(refusal)) return false;
    this.#mayRenew = false;
    this.#renewals++;
    return true;
  }

  /**
   * Searches for credentials once. The search is repeated only if it failed for another reason than a bad
   * file.
   */
  #find(): Promise<Signer | undefined> {
    this.#finding ??= this.#options.findSigner().catch((error: unknown) => {
      if (!(error instanceof CredentialsError && error.code === 'BAD_CREDENTIALS')) this.#finding = undefined;
      throw error;
    });
    return this.#finding;
  }

  async #send(path: string, request: BucketRequest, signer?: Signer): Promise<HttpReply> {
    const { http, address, headers } = this.#options;
    const { followRedirects, allowAddress } = address;
    for (let changes = 0; ; changes++) {
      const reply = await http.request({
        ...request,
        url: address.url(path),
        headers: { ...headers, ...request.headers },
        authorize: signer?.sign,
        followRedirects,
        allowAddress,
      });
      if (reply.status < 300 || !address.learnFrom(reply) || changes === MAX_ADDRESS_CHANGES) return reply;
    }
  }
}

const MAX_ADDRESS_CHANGES = 2;
