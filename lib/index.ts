/** graphene-points: which supervoxel, and which root ID at time T, is at each of N points. */
export { openGraphene, openPrecomputed, resolveVolume } from './graphene/open-and-resolve.ts';
export type {
  BucketDescription,
  DatastackDescription,
  DescribedOptions,
  GrapheneDescription,
  PrecomputedDescription,
  TokenName,
  VolumeDescription,
} from './graphene/resolve/description.ts';
export type { GrapheneVolume, OnePointOptions } from './graphene/graphene-volume.ts';
export type { VolumeDatastack } from './graphene/volume-datastack.ts';
export type { DatastackPath } from './graphene/resolve/volume-path.ts';
export type { TensorStoreSpec } from './graphene/resolve/kvstore-spec.ts';
export type { Logger } from './base/logger.ts';
export type { Vec3 } from './base/vec3.ts';
export type { RootCacheSettings, VolumeRootCache } from './graphene/volume-root-cache.ts';
export type { RootCacheStats } from './chunkedgraph/root-cache/root-cache.ts';
export type { PrecomputedVolume } from './graphene/precomputed-volume.ts';
export type {
  OpenGrapheneOptions,
  OpenOptions,
  ReadPointsOptions,
  Resolution,
  RootOptions,
  ScatteredPointsOptions,
  SnapOptions,
} from './graphene/option-types.ts';
export type { VoxelsAt } from './graphene/voxels-at.ts';
export type {
  ScatteredStreamOptions,
  StreamBatch,
  StreamedResult,
  StreamOptions,
} from './graphene/stream/stream-types.ts';
export { lookupTable } from './lookup-table/lookup-table.ts';
export type {
  LookupSink,
  LookupSource,
  LookupTableOptions,
  LookupVolume,
  NamedLookupVolume,
  NodeSink,
  WebSink,
} from './lookup-table/table-types.ts';
export type { JobPass, JobSums, RowCounts, TableProgress, TableSummary } from './jobs/job-types.ts';
export type { FormatName } from './tables/formats.ts';
export type { IdType } from './tables/columnar/column.ts';
export type { MissingText } from './tables/missing.ts';
export type { Interpolation, Progress } from './points/point-query.ts';
export { readMany } from './graphene/read-many.ts';
export type {
  EntryResult,
  ManyResult,
  ManyRow,
  NamedGraphene,
  NamedPrecomputed,
  NamedVolume,
  ReadManyOptions,
  VolumeAnswer,
} from './graphene/many-types.ts';
export { PointStatus, statusText, type PointStatusCode, type PointStatusName } from './points/status.ts';
export type { Coordinate, FlatPoints, Point, PointInput } from './points/point-input.ts';
export type {
  LookupStats,
  PointsResult,
  RootRow,
  RootsResult,
  SupervoxelResult,
  SupervoxelRow,
  ValueRow,
  ValuesResult,
} from './points/result.ts';
export type {
  BatchEvent,
  ChunkEvent,
  RetryEvent,
  RootRequestEvent,
  VolumeEvent,
} from './base/volume-events.ts';
export { pointsOfState, type StatePoints, type StatePointsOptions } from './neuroglancer/state-points.ts';
export type { AnnotationPart } from './neuroglancer/read-annotation.ts';
export {
  stateOfAnswers,
  type AnswersState,
  type StateAnswers,
  type StateOfAnswersOptions,
} from './neuroglancer/state-of-answers.ts';
export { linkOfState } from './neuroglancer/state-link.ts';
export { parseTimestamp, type Timestamp } from './chunkedgraph/ids/timestamp.ts';
export type { GraphInfo } from './chunkedgraph/ids/graph-info.ts';
export type { ChunkedGraph, GraphRequestOptions } from './chunkedgraph/api/chunked-graph.ts';
export type { CallOptions, TimedOptions, WindowOptions } from './chunkedgraph/api/endpoints.ts';
export type { DeltaRoots } from './chunkedgraph/api/delta-roots.ts';
export type { EditOptions, EditResult } from './chunkedgraph/api/edits.ts';
export type { GraphPathFound } from './chunkedgraph/api/find-path.ts';
export type { IdMapping, LineageGraph, LineageNode } from './chunkedgraph/api/history.ts';
export type {
  ChangeLog,
  LoggedOperation,
  Operation,
  OperationDetails,
  RootOperation,
} from './chunkedgraph/api/operations.ts';
export type { Bounds, Ids } from './chunkedgraph/api/check-arguments.ts';
export type {
  ChunkChildren,
  GraphPoint,
  LeavesOptions,
  SplitPreview,
  Subgraph,
} from './chunkedgraph/api/nodes.ts';
export type { SuggestedRoot, Suggestion } from './chunkedgraph/api/successors.ts';
export type { ChunkOfPointOptions, IdArithmetic } from './chunkedgraph/ids/id-arithmetic.ts';
export type { Scale } from './precomputed/volume-info.ts';
export type { DataType, ValueArray } from './precomputed/data-type.ts';
export type { BucketOptions, StorageOptions } from './storage/bucket-options.ts';
export type { AwsCredentials } from './storage/aws-signer.ts';
export type { GoogleCredentials } from './storage/google-signer.ts';
export { cacheStats, clearCache, verifyCache, type CacheStats } from './cache/cache-maintenance.ts';
export type { BatchLimit, Pace } from './failures/pace.ts';
export type { LruEncoding, Revalidation } from './chunks/cache-options.ts';
export { memoryBucket, type MemoryBucket } from './storage/memory-store.ts';
export type { Store, StoreServer, ReadOptions, StoredObject, ByteRange, Meter } from './storage/store.ts';
export type { BreakReason, GraphErrorOptions } from './base/errors.ts';
export type { AddressPolicy } from './http/address.ts';
export type { ReleaseSlot, ServerFeedback } from './failures/throttle.ts';
export {
  AccessError,
  ChunkError,
  CredentialsError,
  DeadlineError,
  DecodeError,
  GraphError,
  InfoError,
  JobError,
  LookupError,
  PartialResultError,
  type PartialResult,
  PathError,
  PointError,
  RequestError,
  SnapshotError,
  StateError,
  TableError,
  TimestampError,
  VolumeClosedError,
} from './base/errors.ts';
export type { ErrorJson } from './base/error-json.ts';
export { isLookupError, type ErrorCode, type ErrorWithCode } from './base/is-lookup-error.ts';
export { reviveError } from './base/revive-error.ts';
