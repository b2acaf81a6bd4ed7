/** The options and the parts of a service. */
import type { FastifyInstance } from 'fastify';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import type { Caller } from './access/caller.ts';
import type { NamedVolumePath, ServedVolumes } from './volumes.ts';

/** How a service is made. */
export interface ServiceOptions {
  volumes: readonly NamedVolumePath[];
  /** How the volumes are opened. */
  open: OpenGrapheneOptions;
  /** Address to listen on. @default '127.0.0.1' */
  host?: string;
  /** 0 takes a free port. @default 8080 */
  port?: number;
}

/** What the routes of a service share. */
export interface ServiceParts {
  readonly volumes: ServedVolumes;
  readonly options: ServiceOptions;
}

/** Registers the routes or hooks of one room of the service. */
export type ServicePlugin = (server: FastifyInstance, parts: ServiceParts) => unknown;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. Set before its body is read. */
    caller: Caller;
  }
}
