/** What the services of CAVE answer from, and what an endpoint of theirs is. */
import type { EndpointRequest } from '../endpoints/endpoint.ts';
import type { MockUser } from '../endpoints/users.ts';
import type { MockTimestamp } from '../graph-description.ts';

export interface CaveContext {
  datastack: string;
  /** Table of the chunkedgraph, which is at the same origin. */
  table: string;
  versions: Readonly<Record<number, MockTimestamp>>;
  tokens: Readonly<Record<string, MockUser>>;
  datastackInfo: Readonly<Record<string, unknown>>;
}

export interface CaveEndpoint {
  path: RegExp;
  /** What is answered as JSON; undefined is status 404. */
  answer: (context: CaveContext, request: EndpointRequest) => unknown;
}

export const SERVICE_VERSION = '5.0.0';

export const serviceVersion = (): string => SERVICE_VERSION;
