/**
 * How a bucket is asked: as anybody, for as long as that is answered; with credentials once it is not and there are any. A public bucket
 * so costs no look for credentials, and a private one a single refused request.
 */
import { leaveOnAbort } from '../base/abort.ts';
import { CredentialsError } from '../base/errors.ts';
import type { AddressPolicy, Headers, HttpClient, HttpReply } from '../http/http-request.ts';
import type { ObjectReply, ObjectRequester, ObjectRequest } from './http-store.ts';
import type { FindSigner, Signer } from './signer.ts';

/** Where a bucket's objects are: moves when its server says so. */
export interface BucketAddress {
  url(path: string): string;
  /** Whether what this reply says means that the request belongs elsewhere; `url` then says where. */
  learnFrom(reply: HttpReply): boolean;
  /** What a failing reply says beyond its status; for messages. */
  errorCode(reply: HttpReply): string | undefined;
  readonly followRedirects: boolean;
  readonly allowAddress: AddressPolicy;
}

export interface BucketAccessOptions {
  http: HttpClient;
  address: BucketAddress;
  /** Go with every request. */
  headers?: Headers;
  /** `never` asks as anybody only; `always` never does; `ifRefused` finds out. */
  sign: 'never' | 'ifRefused' | 'always';
  findSigner: FindSigner;
  /** What to do when there are no credentials, or none may be sent. */
  advice: () => string;
}

/** 400 is what Cloudflare's S3 says to a request without a signature, and Amazon's to an expired token. */
const isRefusal = ({ status }: HttpReply): boolean => status === 400 || status === 401 || status === 403;

/** A body came, or would have: whoever asked so may read. */
const isRead = ({ status }: HttpReply): boolean => status === 200 || status === 206 || status === 416;

export class BucketAccess {
  readonly #options: BucketAccessOptions;
  #mode: 'undecided' | 'anonymous' | 'signed';
  #finding: Promise<Signer | undefined> | undefined;
  /** Counts renewals: a request that was sent before the last one need not cause another. */
  #renewals = 0;
  /** Not again until something signed was read: credentials that are refused when they are new stay refused. */
  #mayRenew = true;

  constructor(options: BucketAccessOptions) {
    this.#options = options;
    this.#mode = options.sign === 'never' ? 'anonymous' : options.sign === 'always' ? 'signed' : 'undecided';
  }

  /** @throws CredentialsError when there have to be credentials; as `HttpClient.request`. */
  readonly request: ObjectRequester = async (path, request) => {
    const { headers, advice, sign } = this.#options;
    if (this.#isSigned()) return this.#askSigned(path, request);
    const reply = await this.#send(path, request);
    const answer: ObjectReply = { reply, isSigned: headers !== undefined };
    if (isRead(reply) && this.#mode === 'undecided') this.#mode = 'anonymous';
    if (!isRefusal(reply)) return answer;
    // Others may have found out meanwhile.
    if (this.#isSigned()) return this.#askSigned(path, request);
    if (this.#mode === 'anonymous') return sign === 'never' ? { ...answer, advice: advice() } : answer;
    try {
      const signed = await this.#askSigned(path, request);
      if (!isRefusal(signed.reply)) {
        this.#mode = 'signed';
        return signed;
      }
      // Of the two refusals the first: whether anybody may read is what a caller can find out more about.
      return { ...answer, advice: signed.advice };
    } catch (error) {
      if (error instanceof CredentialsError) return { ...answer, advice: error.message };
      throw error;
    }
  };

  #isSigned(): boolean {
    return this.#mode === 'signed';
  }

  async #askSigned(path: string, request: ObjectRequest): Promise<ObjectReply> {
    const signer = await leaveOnAbort(this.#find(), request.signal, () => undefined);
    if (!signer) throw new CredentialsError('NOT_FOUND', this.#options.advice());
    for (let again = true; ; again = false) {
      const renewals = this.#renewals;
      const reply = await this.#send(path, request, signer);
      if (isRead(reply)) this.#mayRenew = true;
      if (!isRefusal(reply)) return { reply, isSigned: true };
      if (!again || !this.#renew(signer, reply, renewals)) {
        const code = this.#options.address.errorCode(reply);
        return {
          reply,
          isSigned: true,
          advice: `the credentials of ${signer.source} are answered ${reply.status}${code === undefined ? '' : ` ${code}`}`,
        };
      }
    }
  }

  #renew(signer: Signer, refusal: HttpReply, renewals: number): boolean {
    if (renewals !== this.#renewals) return true;
    if (!this.#mayRenew || !signer.canRenew(refusal)) return false;
    this.#mayRenew = false;
    this.#renewals++;
    return true;
  }

  /** Looked for once. That there are none, or a broken file, stands; a vendor that does not answer may do so later. */
  #find(): Promise<Signer | undefined> {
    this.#finding ??= this.#options.findSigner().catch((error: unknown) => {
      if (!(error instanceof CredentialsError && error.code === 'BAD_CREDENTIALS')) this.#finding = undefined;
      throw error;
    });
    return this.#finding;
  }

  async #send(path: string, request: ObjectRequest, signer?: Signer): Promise<HttpReply> {
    const { http, address: place, headers } = this.#options;
    const { followRedirects, allowAddress } = place;
    for (let moves = 0; ; moves++) {
      const reply = await http.request({
        ...request,
        url: place.url(path),
        headers: { ...headers, ...request.headers },
        authorize: signer?.sign,
        followRedirects,
        allowAddress,
      });
      if (reply.status < 300 || !place.learnFrom(reply) || moves === MAX_MOVES) return reply;
    }
  }
}

const MAX_MOVES = 2;
