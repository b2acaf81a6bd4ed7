/**
 * The program of a worker thread: fetches chunks, decompresses them and reads the values of voxels.
 * Everything else (retries, pace, caches, credentials) is decided in the main thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isShared, toOwnMemory } from '../base/shared-memory.ts';
import { errorJson } from '../base/error-json.ts';
import { registerSecret } from '../base/secret-redaction.ts';
import { restrictedLookup, type AddressPolicy } from '../http/address.ts';
import { Cancellation } from '../http/cancellation.ts';
import { exchange, type HttpReply } from '../http/exchange.ts';
import { isHtmlPage } from '../http/excerpt.ts';
import { HANDED_OVER_HEADERS } from '../http/remote-exchange.ts';
import { SocketSender } from '../http/send-over-socket.ts';
import type { ChunkWork, ChunkWorkResult, SharedBodyWork } from '../chunks/chunk-work.ts';
import { doChunkWork, doWorkSoon } from '../chunks/do-chunk-work.ts';
import { readPlaceNow } from '../cache/pack-files.ts';
import type { EntryRead } from '../chunks/chunk-source.ts';
import { encodingOf, type DiskForm } from '../chunks/disk-form.ts';
import { packValues } from './packed-arrays.ts';
import { ChunkSaver, crcOf } from './chunk-saver.ts';
import { HeldChunks } from './held-chunks.ts';
import { newSharedBytes } from './shared-buffers.ts';
import { normalizeContentEncoding } from '../storage/content-encoding.ts';
import type {
  Answer,
  Command,
  FetchCommand,
  FetchedReply,
  ReadEntryCommand,
  ReadyMessage,
  SaveCommand,
  WorksCommand,
  WorkerSetup,
} from './worker-messages.ts';

const port = parentPort!,
  { current, maxIdle } = workerData as WorkerSetup;
const running = new Map<number, Cancellation>();
/** Fetches whose bodies are wanted by a call that joined later. */
const kept = new Set<number>();
const held = new HeldChunks();
const saver = new ChunkSaver();
/** Larger memory is not kept. */
const MOST_OWN_BYTES = 4 * 1024 * 1024;
const senders: Record<AddressPolicy, SocketSender> = {
  any: new SocketSender(undefined, maxIdle),
  public: new SocketSender(restrictedLookup('public'), maxIdle),
  notMetadata: new SocketSender(restrictedLookup('notMetadata'), maxIdle),
};

/** Resolves when the work that was begun last has ended; undefined if it has. */
let lastWork: Promise<void> | undefined;

/**
 * Works on one chunk at a time, so that a thread that dies or hangs shows which chunk it was at. Work that
 * ends at once is done at once, if no other is under way.
 */
function inTurn<T>(id: number, doWork: () => Promise<T>): Promise<T>;
function inTurn<T>(id: number, doWork: () => T | Promise<T>): T | Promise<T>;
function inTurn<T>(id: number, doWork: () => T | Promise<T>): T | Promise<T> {
  const result = lastWork ? lastWork.then(() => begin(id, doWork)) : begin(id, doWork);
  if (!(result instanceof Promise)) return result;
  const ended: Promise<void> = result.then(
    () => forget(ended),
    () => forget(ended),
  );
  lastWork = ended;
  return result;
}

function forget(ended: Promise<void>): void {
  if (lastWork === ended) lastWork = undefined;
}

function begin<T>(id: number, doWork: () => T | Promise<T>): T | Promise<T> {
  let result: T | Promise<T> | undefined;
  Atomics.store(current, 0, id);
  try {
    result = doWork();
    return result instanceof Promise ? result.finally(() => Atomics.store(current, 0, 0)) : result;
  } finally {
    if (!(result instanceof Promise)) Atomics.store(current, 0, 0);
  }
}

const work = (
  id: number,
  stored: Uint8Array,
  contentEncoding: string | undefined,
  chunkWork: ChunkWork,
): Promise<ChunkWorkResult> => inTurn(id, async () => doWork(id, stored, contentEncoding, chunkWork));

const doWork = (
  id: number,
  stored: Uint8Array,
  contentEncoding: string | undefined,
  chunkWork: ChunkWork,
): ChunkWorkResult | Promise<ChunkWorkResult> =>
  doWorkSoon(isShared(stored) ? toOwnBytes(stored, chunkWork) : stored, contentEncoding, chunkWork, {
    hold: chunkWork.holds ? keeperOf(id, stored, contentEncoding, chunkWork, undefined) : undefined,
  });

/**
 * Returns how a chunk is stored in the disk cache, or held if the main thread must do that.
 * @param reply The reply that holds the chunk, if its version is in there.
 */
function keeperOf(
  id: number,
  stored: Uint8Array,
  contentEncoding: string | undefined,
  { saves }: ChunkWork,
  reply: HttpReply | undefined,
) {
  return (form: DiskForm, isLost: boolean, hasValues: boolean): Pick<ChunkWorkResult, 'held' | 'saved'> => {
    const crc = crcOf(form, stored, contentEncoding),
      isKnown = reply !== undefined || saves?.isVersionInReply === false,
      saved = saves && hasValues && isKnown ? saver.save(form, crc, saves, reply) : undefined;
    return saved ? { saved } : { held: held.add(id, form, isLost, crc) };
  };
}

/** Works on several chunks in one turn, unless the command is cancelled before. */
function workOnAll({ id: first, works }: WorksCommand): Promise<void> {
  running.set(first, new Cancellation());
  return inTurn(first, async () => {
    if (!running.delete(first)) return;
    const results: ChunkWorkResult[] = [];
    for (const [k, { bytes, contentEncoding, work: chunkWork }] of works.entries()) {
      Atomics.store(current, 0, first + k);
      const result = doWork(first + k, bytes, contentEncoding, chunkWork);
      results.push(result instanceof Promise ? await result : result);
    }
    Atomics.store(current, 0, 0);
    post({ kind: 'works', id: first, results: packValues(results) });
    // The answer leaves, and replies and commands are received, before the next turn.
    await new Promise((resolve) => setImmediate(resolve));
  });
}

let ownBytes = new Uint8Array(0);

/** Copies bytes out of shared memory. If nothing keeps them, each copy uses the memory of the last one. */
function toOwnBytes(shared: Uint8Array, { wantsBytes, wantsRaw, holds }: ChunkWork): Uint8Array {
  if (wantsBytes || wantsRaw || holds || shared.byteLength > MOST_OWN_BYTES) return new Uint8Array(shared);
  if (ownBytes.byteLength < shared.byteLength) ownBytes = new Uint8Array(2 * shared.byteLength);
  ownBytes.set(shared);
  return ownBytes.subarray(0, shared.byteLength);
}

/** Reads an entry of the disk cache and does the work on it. @returns undefined if it cannot be read. */
const readEntry = ({ id, place, work: chunkWork }: ReadEntryCommand): Promise<EntryRead | undefined> =>
  inTurn(id, async () => {
    try {
      const found = readPlaceNow(place),
        bytes = found?.decoded?.entry.bytes,
        how = encodingOf(found?.decoded?.entry.form);
      if (!bytes || !how) return { found, result: undefined, storedBytes: 0 };
      const result = await doChunkWork(bytes, how.contentEncoding, chunkWork, { codec: how.codec });
      found.decoded!.entry.bytes = NOTHING;
      return { found, result, storedBytes: bytes.byteLength };
    } catch {
      return undefined;
    }
  });

const NOTHING = new Uint8Array(0);

function fetchChunk(command: FetchCommand): void {
  const { id, work: bodyWork, memory } = command,
    cancellation = new Cancellation(),
    meter = { requests: 0, bytes: 0 };
  running.set(id, cancellation);
  const fail = (error: unknown, ranOutOfDescriptors = false): void => {
    // If the main thread has cancelled the command, it expects no answer.
    if (running.has(id))
      post({ kind: 'failure', id, error: errorJson(error), ranOutOfDescriptors, bytes: meter.bytes });
    forgetFetch(id);
  };
  exchange(
    senders[command.allowAddress].send,
    {
      url: new URL(command.url),
      headers: command.headers,
      maxBytes: command.maxBytes,
      connectTimeoutMs: command.connectTimeoutMs,
      idleTimeoutMs: command.idleTimeoutMs,
      allowAddress: command.allowAddress,
      method: 'GET',
      body: undefined,
      proxyName: undefined,
      meter,
      memoryFor:
        'sharedBytes' in bodyWork
          ? (bytes) => (bytes <= bodyWork.sharedBytes ? memoryOf(bytes, memory) : undefined)
          : undefined,
    },
    cancellation,
  )
    .then((answer) =>
      'reply' in answer
        ? answerFetch(id, answer.reply, bodyWork, memory)
        : fail(answer.error, answer.ranOutOfDescriptors),
    )
    .catch(fail); // a header could not be sent
}

const memoryOf = (bytes: number, offered: SharedArrayBuffer | undefined): Uint8Array =>
  offered && bytes <= offered.byteLength ? new Uint8Array(offered, 0, bytes) : newSharedBytes(bytes);

function forgetFetch(id: number): void {
  running.delete(id);
  kept.delete(id);
}

/** Does the work on a reply, and posts the answer: in this turn, unless the work takes longer. */
function answerFetch(
  id: number,
  reply: HttpReply,
  bodyWork: ChunkWork | SharedBodyWork,
  memory: SharedArrayBuffer | undefined,
): void | Promise<void> {
  const { status, headers, body } = reply,
    isChunk = (status === 200 || status === 206) && !isHtmlPage(body, headers);
  const finish = (message: FetchedReply): void => {
    post(message);
    forgetFetch(id);
  };
  if (!isChunk || 'sharedBytes' in bodyWork) return finish(plainReply(id, reply, isChunk, bodyWork, memory));
  const result = inTurn(id, () =>
    doWorkSoon(body, normalizeContentEncoding(headers['content-encoding']), bodyWork, {
      // Of other replies, the main thread decides whether they are the chunk.
      hold: bodyWork.holds
        ? keeperOf(
            id,
            body,
            normalizeContentEncoding(headers['content-encoding']),
            bodyWork,
            status === 200 ? reply : undefined,
          )
        : undefined,
    }),
  );
  const finishWith = (done: ChunkWorkResult): void => finish(workedReply(id, reply, bodyWork, done));
  return result instanceof Promise ? result.then(finishWith) : finishWith(result);
}

/** The answer with the result of the work on a chunk. */
const workedReply = (
  id: number,
  { status, headers, body, serverAddress }: HttpReply,
  { wantsStored }: ChunkWork,
  result: ChunkWorkResult,
): FetchedReply => ({
  kind: 'reply',
  id,
  status,
  headers: handedOver(headers),
  serverAddress,
  body: wantsStored || kept.has(id) ? body : undefined,
  bodyBytes: body.byteLength,
  result,
});

/** The answer with a reply on which no work was done. */
function plainReply(
  id: number,
  { status, headers, body, serverAddress }: HttpReply,
  isChunk: boolean,
  bodyWork: ChunkWork | SharedBodyWork,
  memory: SharedArrayBuffer | undefined,
): FetchedReply {
  // A reply of another kind than was asked for is left to the main thread, in memory of its own.
  const isSharedPart =
    'sharedBytes' in bodyWork &&
    status === 206 &&
    normalizeContentEncoding(headers['content-encoding']) === undefined;
  const usesOffered = isSharedPart && memory !== undefined && body.buffer === memory;
  return {
    kind: 'reply',
    id,
    status,
    headers: isChunk ? handedOver(headers) : { ...headers },
    serverAddress,
    body: usesOffered ? undefined : isSharedPart ? toShared(body) : toOwnMemory(body),
    usesOffered,
    bodyBytes: body.byteLength,
    result: undefined,
  };
}

function toShared(bytes: Uint8Array): Uint8Array {
  if (isShared(bytes)) return bytes;
  const shared = newSharedBytes(bytes.byteLength);
  shared.set(bytes);
  return shared;
}

/** The headers of a chunk that the main thread reads. */
function handedOver(headers: HttpReply['headers']): FetchedReply['headers'] {
  const some: FetchedReply['headers'] = {};
  for (const name of HANDED_OVER_HEADERS) if (headers[name] !== undefined) some[name] = headers[name];
  return some;
}

let waiting: Answer[] = [];

/** Posts an answer, together with all others of this turn of the event loop. */
function post(answer: Answer): void {
  if (waiting.push(answer) === 1) setImmediate(postAll);
}

function postAll(): void {
  saver.flush(); // the answers say what is stored
  const answers = waiting,
    transferred = new Set<ArrayBuffer>();
  waiting = [];
  const transfer = (bytes: ArrayBufferView | undefined): void => {
    if (
      bytes &&
      !isShared(bytes) &&
      bytes.byteLength > COPIED_BYTES &&
      bytes.buffer.byteLength <= 1.2 * bytes.byteLength
    )
      transferred.add(bytes.buffer as ArrayBuffer);
  };
  for (const answer of answers) {
    if (answer.kind !== 'reply' && answer.kind !== 'work' && answer.kind !== 'works') continue;
    for (const result of answer.kind === 'works' ? answer.results : [answer.result]) {
      // What is held stays in this thread, and shares the memory.
      if (result?.held) continue;
      if (answer.kind === 'reply') transfer(answer.body);
      transfer(result?.bytes);
      transfer(result?.raw);
    }
  }
  port.postMessage(answers, [...transferred]);
}

/** Smaller arrays are copied, which takes less time than to hand over their memory. */
const COPIED_BYTES = 256 * 1024;

function run(command: Exclude<Command, SaveCommand>): void {
  if (command.kind === 'fetch') return void fetchChunk(command);
  if (command.kind === 'work') {
    const { id, stored, contentEncoding } = command;
    return void work(id, stored, contentEncoding, command.work).then((result) =>
      post({ kind: 'work', id, result }),
    );
  }
  if (command.kind === 'works') return void workOnAll(command);
  if (command.kind === 'readEntry')
    return void readEntry(command).then((read) => post({ kind: 'entry', id: command.id, read }));
  if (command.kind === 'keep') return void (running.has(command.id) && kept.add(command.id));
  if (command.kind === 'secrets') return command.secrets.forEach(registerSecret);
  if (command.kind === 'closeIdle') return Object.values(senders).forEach((sender) => sender.closeIdle());
  const cancellation = running.get(command.id);
  running.delete(command.id);
  cancellation?.cancel(new Error('cancelled'));
}

let saves: SaveCommand[] = [];

/** Runs the commands of one message. */
function runAll(commands: readonly Command[]): void {
  for (const command of commands)
    if (command.kind !== 'save') run(command);
    else if (saves.push(command) === 1) setImmediate(saveAll);
}

/** Writes together all that is to be saved, from all messages of this turn of the event loop. */
function saveAll(): void {
  const commands = saves;
  saves = [];
  held.save(commands).forEach((answer, k) => post({ kind: 'saved', id: commands[k].id, ...answer }));
}

port.on('message', runAll);
port.postMessage({ kind: 'ready' } satisfies ReadyMessage);
