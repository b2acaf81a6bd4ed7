/**
 * Reads the file format of Arrow, which Feather is version 2 of. Its footer says where the messages are. They
 * are not read from front to back, because polars writes dictionaries after the record batches that need
 * them. Source: "Arrow Columnar Format", section "IPC File Format"; Arrow, format/File.fbs.
 */
import { TableError } from '../../base/errors.ts';
import type { FileReader } from '../files/file-reader.ts';
import {
  type ArrowInput,
  type ArrowMessage,
  checkVersion,
  DICTIONARY_BATCH,
  firstWord,
  MAX_METADATA,
  readMessageMetadata,
  RECORD_BATCH,
} from './arrow-messages.ts';
import { brokenArrow, FlatTable } from './flat-table.ts';

const MAGIC = 'ARROW1';
const CONTINUATION = 0xffffffff;
/** The size of the footer and the magic at the end. */
const END_BYTES = 10;
const BLOCK_BYTES = 24;

interface Block {
  offset: number;
  metadataBytes: number;
}

/** Opens a file. @throws TableError BAD_FORMAT if it is cut or damaged. */
export async function openArrowFile(file: FileReader): Promise<ArrowInput> {
  const { size } = file;
  const end = await file.read(Math.max(0, size - END_BYTES), Math.min(END_BYTES, size));
  if (size < 2 * END_BYTES || Buffer.from(end.subarray(4)).toString('latin1') !== MAGIC)
    throw new TableError('BAD_FORMAT', 'the Arrow file is cut: its end is missing');
  const bytes = firstWord(end);
  if (bytes > Math.min(size - 2 * END_BYTES, MAX_METADATA))
    throw brokenArrow('its footer has an impossible size');
  const footer = FlatTable.root(await file.read(size - END_BYTES - bytes, bytes)),
    schema = footer.table(1);
  if (schema === undefined) throw brokenArrow('its footer has no schema');
  const dictionaries = readBlocks(footer, 2),
    batches = readBlocks(footer, 3);
  return {
    isFile: true,
    version: checkVersion(footer.short(0)),
    schema,
    footer,
    async *batches() {
      for (const block of dictionaries) yield await readBlock(file, block, DICTIONARY_BATCH);
      for (const block of batches) yield await readBlock(file, block, RECORD_BATCH);
    },
    close: () => file.close(),
  };
}

function readBlocks(footer: FlatTable, field: number): Block[] {
  const { start, length } = footer.vector(field, BLOCK_BYTES);
  return Array.from({ length }, (_, k) => {
    const at = start + BLOCK_BYTES * k;
    return { offset: footer.sizeAt(at), metadataBytes: footer.intAt(at + 8) };
  });
}

async function readBlock(
  file: FileReader,
  { offset, metadataBytes }: Block,
  kind: number,
): Promise<ArrowMessage> {
  if (metadataBytes < 8 || metadataBytes > MAX_METADATA)
    throw brokenArrow('a message has an impossible size');
  const framed = await file.read(offset, metadataBytes);
  const metadata = readMessageMetadata(framed.subarray(firstWord(framed) === CONTINUATION ? 8 : 4));
  if (metadata.kind !== kind) throw brokenArrow('its footer points to another kind of message');
  return { ...metadata, body: await file.read(offset + metadataBytes, metadata.bodyBytes) };
}
