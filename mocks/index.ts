/**
 * Mocked servers for tests: a chunkedgraph, an object store and the CAVE services. They run on loopback, on
 * nock (`graphene-points/mocks/nock`), or as plain functions from a request to a response.
 */
export { createMockBucket, gsRoutes, type MockBucket, type MockBucketOptions } from './bucket.ts';
export type { UnfinishedUpload } from './s3-uploads.ts';
export type { StoredFile } from './stored-file.ts';
export type { BucketStyle } from './bucket-errors.ts';
export { mockCave, type MockCaveOptions } from './cave.ts';
export {
  createMockChunkedGraph,
  type MockChunkedGraph,
  type MockChunkedGraphOptions,
} from './chunkedgraph.ts';
export type { EditOptions, EditResult, GraphInfo, Moment, Operation } from './deprecated.ts';
export { controlServer } from './control.ts';
export { DEMO_AFTER, DEMO_BEFORE, demoPointsFile, serveDemo, type ServedDemo } from './demo.ts';
export { withFaults, type Fault } from './faults.ts';
export { writeFiles } from './folder.ts';
export type { KnownUser, MockUser, Permission } from './endpoints/users.ts';
export type { GivenMulticut, GivenMulticuts } from './multicuts.ts';
export { graphInfo, supervoxelId, type GraphInfoOptions } from './mock-graph-info.ts';
export type { DescribedEdge, GraphDescription, GraphEdit, Id, MockTimestamp } from './graph-description.ts';
export type { MockGraphInfo } from './graph/node-id-layout.ts';
export type { LabelAt } from './graph/locate-supervoxels.ts';
export type {
  MockEditOptions,
  MockEditResult,
  MockSupervoxelSplit,
  MockSupervoxelSplitOptions,
} from './edits-from-code.ts';
export type { PlannedSplit, SplitVoxels } from './split-supervoxel.ts';
export type { Edge } from './graph/edge-table.ts';
export { EditError } from './graph/edit-error.ts';
export type { MockOperation } from './graph/operation-log.ts';
export { serveMocks, type ServedMocks, type ServeMocksOptions } from './loopback.ts';
export { mockRequest, type MockHandler, type MockRequest, type MockResponse } from './message.ts';
export { RequestLog, type LoggedRequest, type PathPattern } from './request-log.ts';
export { mockServer, type MockRoutes, type MockServer } from './server.ts';
export {
  buildPrecomputed,
  type BuiltPrecomputed,
  type PrecomputedInfo,
  type PrecomputedOptions,
  type ScaleJson,
} from './volume/precomputed.ts';
export type { Bitstream } from './volume/bitstream.ts';
export type { Encoding } from './volume/encoders.ts';
export type { ShardingJson } from './volume/shards.ts';
export type { Labels, ValueOf } from './volume/values.ts';
export { graphFromVolume, type GraphFromVolumeOptions } from './volume/graph-from-volume.ts';
export {
  buildWorld,
  serveWorld,
  writeWorld,
  type Place,
  type ServedWorld,
  type World,
  type WorldEdit,
  type WorldOptions,
  type WorldSplit,
} from './world.ts';
