import type { Logger } from '../base/logger.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';

export interface DoctorOptions extends Pick<
  OpenGrapheneOptions,
  'server' | 'authServer' | 'token' | 'dataDir' | 'ocdbt' | 'storage' | 'signal' | 'retries'
> {
  /** Of Node. @default the one running */
  version?: string;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

/** Room for any info. */
export const MAX_INFO_BYTES = 16 * 1024 * 1024;
/** What is said is found, not printed. */
export const SILENT_LOGGER: Logger = { warn: () => undefined };
