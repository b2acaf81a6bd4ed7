/** The options with which any store is opened. */
import type { AddressPolicy, HttpClient } from '../http/http-request.ts';
import type { BucketOptions } from './bucket-options.ts';

/** Options of `openStore`. */
export interface OpenStoreOptions extends BucketOptions {
  http: HttpClient;
  /**
   * Use `public` for a path that came from a server: it excludes files, memory and private hosts.
   * @default 'any'
   */
  allowAddress?: AddressPolicy;
  /** For http(s), gs and s3: headers such as Authorization, sent only to the origin of the store. */
  headers?: Readonly<Record<string, string>>;
  /** Environment variables that name endpoints, regions and credential files. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** Whether the store can also write; see `HttpStore.writer`. @default 'read' */
  access?: 'read' | 'write';
  /** s3: whether to use the addresses of Amazon that also support IPv6. @default false */
  dualstack?: boolean;
}
