/** What the service says of a volume. */
import type { Vec3 } from '../../lib/base/vec3.ts';

/** What `GET /v1/{name}/info` says of a volume. */
export interface VolumeInfo {
  readonly name: string;
  readonly kind: string;
  readonly scales: readonly {
    readonly mip: number;
    readonly resolution: Vec3;
    readonly size: Vec3;
    readonly offset: Vec3;
    readonly chunk_size: Vec3;
  }[];
  readonly viewer_resolution?: Vec3 | null;
  /** Whether the caller may ask for roots. */
  readonly roots: boolean;
  readonly timestamps?: {
    readonly settled?: string | null;
    readonly materializations?: readonly unknown[];
  } | null;
  readonly neuroglancer?: { readonly source?: string | null; readonly site?: string | null } | null;
}
