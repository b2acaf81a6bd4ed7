/** The options and the parts of a service. */
import type { FastifyInstance } from 'fastify';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import type { AccessOptions } from './access/access-options.ts';
import type { Caller } from './access/caller.ts';
import type { ServiceMetrics } from './api/service-metrics.ts';
import type { Pass, WorkGate } from './api/work-gate.ts';
import type { NamedVolumePath, ServedVolumes } from './volumes.ts';

/** How much a service takes. */
export interface ServiceLimits {
  /** Largest body of a request, in bytes. @default 256 MiB */
  maxBodyBytes?: number;
  /** Most points or IDs of one request. @default 10_000_000 */
  maxPoints?: number;
  /** Most points of all requests that are worked on; one request alone may have more. @default 10_000_000 */
  maxPointsAtOnce?: number;
  /** Most requests that are worked on at once. @default 64 */
  maxRequests?: number;
  /** Most requests that wait; further ones are answered with 429. @default 512 */
  maxQueued?: number;
  /** Most connections; further ones are closed at once. @default 2048 */
  maxConnections?: number;
  /** How long a client may be silent while it sends a body, in ms. @default 30_000 */
  bodyTimeoutMs?: number;
  /** How long a client may not read its answer, in ms. @default 60_000 */
  stallMs?: number;
  /** How long running requests may take after `close()`, in ms. @default 30_000 */
  drainMs?: number;
}

/** How a service is made. */
export interface ServiceOptions extends ServiceLimits {
  volumes: readonly NamedVolumePath[];
  /** How the volumes are opened. */
  open: OpenGrapheneOptions;
  /** Address to listen on. @default '127.0.0.1' */
  host?: string;
  /** 0 takes a free port. @default 8080 */
  port?: number;
  /** Who may ask. @default everybody on this machine, and nobody else */
  access?: AccessOptions;
}

/** What the routes of a service share. */
export interface ServiceParts {
  readonly volumes: ServedVolumes;
  readonly options: ServiceOptions;
  /** The limits, with their defaults. */
  readonly settings: Required<ServiceLimits>;
  readonly gate: WorkGate;
  readonly metrics: ServiceMetrics;
  /** Aborted when the time for running requests is over. */
  readonly life: AbortSignal;
}

/** Registers the routes or hooks of one room of the service. */
export type ServicePlugin = (server: FastifyInstance, parts: ServiceParts) => unknown;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. Set before its body is read. */
    caller: Caller;
    /** What the request holds while it is worked on; undefined for a request that only reads. */
    pass: Pass | undefined;
  }
  interface FastifyContextConfig {
    /** The body of the route, for the OpenAPI document. */
    body?: object;
  }
}
