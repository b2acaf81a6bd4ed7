/** What a store is opened with, whichever backend its path names. */
import type { AddressPolicy, HttpClient } from '../http/http-request.ts';
import type { BucketOptions } from './bucket-options.ts';

export interface OpenStoreOptions extends BucketOptions {
  http: HttpClient;
  /**
   * `public` for a path that came from a server: no files, no memory, no private hosts.
   * @default 'any'
   */
  allowAddress?: AddressPolicy;
  /** For http(s), gs and s3, e.g. Authorization; sent to the store's own origin only. */
  headers?: Readonly<Record<string, string>>;
  /** Names endpoints, regions and files of credentials. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** s3: Amazon's addresses that are reached by IPv6, too. @default false */
  dualstack?: boolean;
}
