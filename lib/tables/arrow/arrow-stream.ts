/**
 * Reads the stream format of Arrow, message by message.
 * Source: "Arrow Columnar Format", section "IPC Streaming Format".
 */
import { TableError } from '../../base/errors.ts';
import {
  type ArrowInput,
  type ArrowMessage,
  firstWord,
  MAX_METADATA,
  type MessageMetadata,
  readMessageMetadata,
  SCHEMA,
} from './arrow-messages.ts';
import type { ByteQueue } from '../files/byte-queue.ts';
import { brokenArrow } from './flat-table.ts';

const CONTINUATION = 0xffffffff;

/** Opens a stream. @throws TableError BAD_FORMAT if it is not one, or if it is empty. */
export async function openArrowStream(queue: ByteQueue): Promise<ArrowInput> {
  const start = await queue.peek(4);
  const isModern = start.length === 4 && firstWord(start) === CONTINUATION;
  if (start.length === 4 && !isModern && firstWord(start) > MAX_METADATA)
    throw new TableError('BAD_FORMAT', 'the table is neither an Arrow file nor an Arrow stream');
  const first = await readMetadata(queue, isModern);
  if (first === undefined) throw new TableError('BAD_FORMAT', 'the Arrow data is empty');
  if (first.kind !== SCHEMA) throw brokenArrow('its first message is not the schema');
  await takeWhole(queue, first.bodyBytes);
  return {
    isFile: false,
    version: first.version,
    schema: first.header,
    batches: () => readBatches(queue, isModern),
    close: () => queue.close(),
  };
}

async function* readBatches(queue: ByteQueue, isModern: boolean): AsyncGenerator<ArrowMessage> {
  for (;;) {
    const metadata = await readMetadata(queue, isModern);
    if (metadata === undefined) break;
    if (metadata.kind === SCHEMA) throw brokenArrow('it has a second schema');
    yield { ...metadata, body: await takeWhole(queue, metadata.bodyBytes) };
  }
  if ((await queue.peek(1)).length > 0)
    throw brokenArrow('more data follows its end; streams that are joined are not read');
}

/**
 * Reads the metadata of the next message. Returns undefined at the end mark, and at the end of the bytes: the
 * end mark is optional.
 *
 * @param isModern Whether a mark comes before the size of the metadata, as since Arrow 0.15.
 */
async function readMetadata(queue: ByteQueue, isModern: boolean): Promise<MessageMetadata | undefined> {
  if ((await queue.peek(1)).length === 0) return undefined;
  if (isModern && firstWord(await takeWhole(queue, 4)) !== CONTINUATION)
    throw brokenArrow('no message begins where one should');
  const bytes = firstWord(await takeWhole(queue, 4));
  if (bytes === 0) return undefined;
  if (bytes > MAX_METADATA) throw brokenArrow(`a message has ${bytes} bytes of metadata`);
  return readMessageMetadata(await takeWhole(queue, bytes));
}

async function takeWhole(queue: ByteQueue, bytes: number): Promise<Uint8Array> {
  const taken = await queue.take(bytes);
  if (taken.length < bytes)
    throw new TableError('BAD_FORMAT', 'the Arrow data is cut: it ends inside a message');
  return taken;
}
