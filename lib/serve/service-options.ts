/** The option table of a service, and the defaults. */
import { optionGroup, type OptionTable } from '../base/option-table.ts';
import { defineKind, integerFrom, nonEmptyText, TIMEOUT } from '../base/value-kinds.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { ACCESS_OPTIONS } from './access/access-options.ts';
import type { ServiceLimits, ServiceOptions } from './service-types.ts';

const isVoxelSize = (value: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) && value.length === 3 && value.every((size) => size > 0 && Number.isFinite(size)));

const VOLUMES = defineKind(
  'a list of { name, path, voxelSize? }',
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((entry: unknown) => {
      const { name, path, voxelSize } = Object(entry) as Record<string, unknown>;
      return typeof name === 'string' && typeof path === 'string' && isVoxelSize(voxelSize);
    }),
);

/** Limits of a service. */
export const SERVICE_LIMITS = {
  maxBodyBytes: {
    kind: integerFrom(1),
    default: '256 MiB',
    flag: '--max-body <size>',
    says: 'largest body of a request, in bytes',
    flagSays: 'largest body of a request, such as 256MiB',
  },
  maxPoints: {
    kind: integerFrom(1),
    default: '10_000_000',
    flag: '--max-points <n>',
    says: 'most points or IDs of one request',
  },
  maxPointsAtOnce: {
    kind: integerFrom(1),
    default: '10_000_000',
    flag: '--max-points-at-once <n>',
    says: 'most points of all requests that are worked on; one request alone may have more',
  },
  maxRequests: {
    kind: integerFrom(1),
    default: '64',
    flag: '--max-requests <n>',
    says: 'most requests that are worked on at once',
  },
  maxQueued: {
    kind: integerFrom(0),
    default: '512',
    flag: '--max-queued <n>',
    says: 'most requests that wait; further ones are answered with 429',
  },
  maxConnections: {
    kind: integerFrom(1),
    default: '2048',
    flag: '--max-connections <n>',
    says: 'most connections; further ones are closed at once',
  },
  bodyTimeoutMs: {
    kind: TIMEOUT,
    default: '30_000',
    flag: '--body-timeout <seconds>',
    says: 'how long a client may be silent while it sends a body, in ms',
    flagSays: 'how long a client may be silent while it sends a body (default: 30)',
  },
  stallMs: {
    kind: TIMEOUT,
    default: '60_000',
    flag: '--stall-timeout <seconds>',
    says: 'how long a client may not read its answer, in ms',
    flagSays: 'how long a client may not read its answer (default: 60)',
  },
  drainMs: {
    kind: TIMEOUT,
    default: '30_000',
    flag: '--drain <seconds>',
    says: 'how long running requests may take after an interrupt, in ms',
    flagSays: 'how long running requests may take after an interrupt (default: 30)',
  },
} as const satisfies OptionTable<ServiceLimits>;

/** Options of a service. */
export const SERVICE_OPTIONS = {
  volumes: { kind: VOLUMES, required: true, says: 'the volumes and their names: `{ name, path }`' },
  open: {
    kind: optionGroup('options of openGraphene', GRAPHENE_OPTIONS),
    required: true,
    says: 'how volumes are opened: options of `openGraphene` and `openPrecomputed`',
  },
  host: {
    kind: nonEmptyText('an address, or the name of a host'),
    default: "'127.0.0.1'",
    flag: '--host <address>',
    says: 'address to listen on',
  },
  port: {
    kind: integerFrom(0, 65_535),
    default: '8080',
    flag: '--port <n>',
    says: 'port to listen on; 0 takes a free one',
  },
  access: {
    kind: optionGroup('options of who may ask', ACCESS_OPTIONS),
    default: 'everybody on this machine, and nobody else',
    says: 'who may ask',
  },
  ...SERVICE_LIMITS,
} as const satisfies OptionTable<ServiceOptions>;

/** Returns the limits with their defaults. */
export const limitsOf = (given: ServiceLimits): Required<ServiceLimits> => ({
  maxBodyBytes: given.maxBodyBytes ?? 256 * 2 ** 20,
  maxPoints: given.maxPoints ?? 10_000_000,
  maxPointsAtOnce: given.maxPointsAtOnce ?? 10_000_000,
  maxRequests: given.maxRequests ?? 64,
  maxQueued: given.maxQueued ?? 512,
  maxConnections: given.maxConnections ?? 2048,
  bodyTimeoutMs: given.bodyTimeoutMs ?? 30_000,
  stallMs: given.stallMs ?? 60_000,
  drainMs: given.drainMs ?? 30_000,
});

/** How volumes are opened unless the options say otherwise: chunks and root requests are shared among requests. */
export const OPENING_DEFAULTS = { lruBytes: 128 * 2 ** 20, batchWindowMs: 5 } as const;
