/** The options of the doctor, and constants that its checks share. */
import type { Logger } from '../base/logger.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';

/**
 * Options of the doctor: those of opening a volume that matter here, and the Node version and clock for
 * specs.
 */
export interface DoctorOptions extends Pick<
  OpenGrapheneOptions,
  'server' | 'authServer' | 'token' | 'dataDir' | 'ocdbt' | 'voxelsAt' | 'storage' | 'signal' | 'retries'
> {
  /** The version of Node. @default the running version */
  version?: string;
  /** Returns the time in milliseconds since 1970. @default Date.now */
  now?: () => number;
}

/** The maximum size of an info: large enough for any volume. */
export const MAX_INFO_BYTES = 16 * 1024 * 1024;
/** Drops warnings: the doctor reports them as findings instead. */
export const SILENT_LOGGER: Logger = { warn: () => undefined };
