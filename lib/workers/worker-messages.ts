/** The messages between the main thread and a worker thread. All are plain data. */
import type { ErrorJson } from '../base/error-json.ts';
import type { AddressPolicy } from '../http/address.ts';
import type { EntryPlace, PackTarget } from '../cache/pack-files.ts';
import type { EntryRead } from '../chunks/chunk-source.ts';
import type { ChunkWork, ChunkWorkResult, SharedBodyWork, SharedWork } from '../chunks/chunk-work.ts';

/** Sends a request, and does the work on the body of a successful reply. */
export interface FetchCommand {
  readonly kind: 'fetch';
  readonly id: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly allowAddress: AddressPolicy;
  readonly work: ChunkWork | SharedBodyWork;
  /** Shared memory for the body, if the work is a {@link SharedBodyWork}. A longer body gets new memory. */
  readonly memory: SharedArrayBuffer | undefined;
}

/** Does the work on stored bytes. */
export interface WorkCommand {
  readonly kind: 'work';
  readonly id: number;
  readonly stored: Uint8Array;
  readonly contentEncoding: string | undefined;
  readonly work: ChunkWork;
}

/**
 * Does the work on several chunks. The numbers of their commands would be `id`, `id + 1` and so on.
 */
export interface WorksCommand {
  readonly kind: 'works';
  readonly id: number;
  readonly works: readonly SharedWork[];
}

/** Stores a chunk that the thread holds in the disk cache. */
export interface SaveCommand {
  readonly kind: 'save';
  readonly id: number;
  /** The command whose chunk is held. */
  readonly heldId: number;
  readonly target: PackTarget;
  /** The hash of the entry's key. */
  readonly hash: Uint8Array;
  /** What comes before the chunk in the entry. */
  readonly head: Uint8Array;
}

/** Reads an entry of the disk cache, and does the work on it. */
export interface ReadEntryCommand {
  readonly kind: 'readEntry';
  readonly id: number;
  readonly place: EntryPlace;
  readonly work: ChunkWork;
}

/** Asks for the body of a reply, if the answer is not on its way yet: another call has joined the read. */
export interface KeepCommand {
  readonly kind: 'keep';
  readonly id: number;
}

/** Ends a command. Its result is not wanted any more. */
export interface CancelCommand {
  readonly kind: 'cancel';
  readonly id: number;
}

/** The secrets that nothing which is stored may contain. */
export interface SecretsCommand {
  readonly kind: 'secrets';
  readonly id: 0;
  readonly secrets: readonly string[];
}

/** Closes the connections that carry no request. */
export interface CloseIdleCommand {
  readonly kind: 'closeIdle';
  readonly id: 0;
}

export type Command =
  | FetchCommand
  | WorkCommand
  | WorksCommand
  | SaveCommand
  | ReadEntryCommand
  | KeepCommand
  | CancelCommand
  | SecretsCommand
  | CloseIdleCommand;

/** The result of a {@link FetchCommand} whose server replied. */
export interface FetchedReply {
  readonly kind: 'reply';
  readonly id: number;
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly serverAddress: string | undefined;
  /** The body as sent; undefined for a chunk whose stored bytes are not wanted, and with `usesOffered`. */
  readonly body: Uint8Array | undefined;
  /** Whether the body is at the beginning of the memory that came with the command. */
  readonly usesOffered?: boolean;
  readonly bodyBytes: number;
  /** Undefined if the reply is not a chunk. */
  readonly result: ChunkWorkResult | undefined;
}

/** The result of a {@link FetchCommand} without a reply. */
export interface FetchFailure {
  readonly kind: 'failure';
  readonly id: number;
  readonly error: ErrorJson;
  readonly ranOutOfDescriptors: boolean;
  /** Bytes of the body that had come. */
  readonly bytes: number;
}

/** The result of a {@link WorkCommand}. */
export interface WorkAnswer {
  readonly kind: 'work';
  readonly id: number;
  readonly result: ChunkWorkResult;
}

/** The result of a {@link WorksCommand}: one per chunk. */
export interface WorksAnswer {
  readonly kind: 'works';
  readonly id: number;
  readonly results: readonly ChunkWorkResult[];
}

/** The result of a {@link SaveCommand}. */
export interface SavedAnswer {
  readonly kind: 'saved';
  readonly id: number;
  /** Whether the chunk was still held. */
  readonly wasHeld: boolean;
  /** The error of the file system. */
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

/** The result of a {@link ReadEntryCommand}; undefined if the pack could not be read. */
export interface EntryAnswer {
  readonly kind: 'entry';
  readonly id: number;
  readonly read: EntryRead | undefined;
}

/** The first message of a thread. */
export interface ReadyMessage {
  readonly kind: 'ready';
}

export type Answer = FetchedReply | FetchFailure | WorkAnswer | WorksAnswer | SavedAnswer | EntryAnswer;

/** What a thread is started with. */
export interface WorkerSetup {
  /** One number: the command whose chunk is being decompressed or decoded; 0 for none. */
  readonly current: Int32Array<SharedArrayBuffer>;
  /** Most connections that carry no request. */
  readonly maxIdle: number;
}
