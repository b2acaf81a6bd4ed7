/** The types of a CAVE endpoint and of the data that it answers from. */
import type { EndpointRequest } from '../endpoints/endpoint.ts';
import type { MockUser } from '../endpoints/users.ts';
import type { MockTimestamp } from '../graph-description.ts';

/** The data that the CAVE services answer from. */
export interface CaveContext {
  datastack: string;
  /** Table of the chunkedgraph at the same origin. */
  table: string;
  /** The dataset of the table, which permissions are for. */
  dataset: string;
  /** Whether anybody may see some roots of the table. */
  hasPublicRoots: boolean;
  versions: Readonly<Record<number, MockTimestamp>>;
  tokens: Readonly<Record<string, MockUser>>;
  datastackInfo: Readonly<Record<string, unknown>>;
}

/** A path of a CAVE service and its answer. */
export interface CaveEndpoint {
  /** Matches the whole path. */
  path: RegExp;
  /** The value to answer as JSON; undefined for status 404. */
  answer: (context: CaveContext, request: EndpointRequest) => unknown;
}

export const SERVICE_VERSION = '5.0.0';

export const serviceVersion = (): string => SERVICE_VERSION;
