/** The messages that Arrow data is made of. Source: Arrow, format/Message.fbs. */
import { TableError } from '../../base/errors.ts';
import { brokenArrow, FlatTable } from './flat-table.ts';

/** The most bytes of the metadata of a message, and of a footer. */
export const MAX_METADATA = 2 ** 28;
/** The most bytes of the body of a message. It is in memory as a whole. */
const MAX_BODY = 2 ** 31;

/** What a message is, by its number in the union `MessageHeader`. */
export const SCHEMA = 1,
  DICTIONARY_BATCH = 2,
  RECORD_BATCH = 3;

/** The metadata of one message. */
export interface MessageMetadata {
  kind: number;
  /** The version of the metadata, by its number. */
  version: number;
  /** The table of the schema, of the dictionary batch or of the record batch. */
  header: FlatTable;
  /** The table of the message. */
  message: FlatTable;
  bodyBytes: number;
}

/** One message. */
export interface ArrowMessage extends MessageMetadata {
  body: Uint8Array;
}

/** Arrow data that is read. */
export interface ArrowInput {
  /** Whether the data has the file format; otherwise it is a stream. */
  isFile: boolean;
  /** The version of the metadata, by its number. */
  version: number;
  /** The table of the schema. */
  schema: FlatTable;
  /** The table of the footer of a file. */
  footer?: FlatTable;
  /** Metadata of the table that its schema does not have. */
  addedMetadata?: ReadonlyMap<string, string>;
  /** Yields the dictionary batches and the record batches. @throws TableError BAD_FORMAT. */
  batches(): AsyncGenerator<ArrowMessage>;
  /** Frees the file or the stream. */
  close(): Promise<void>;
}

/** Reads the metadata of a message. @throws TableError BAD_FORMAT. */
export function readMessageMetadata(bytes: Uint8Array): MessageMetadata {
  const message = FlatTable.root(bytes),
    version = checkVersion(message.short(0)),
    header = message.table(2),
    kind = message.byte(1),
    bodyBytes = message.size(3);
  if (header === undefined) throw brokenArrow('a message is empty');
  if (![SCHEMA, DICTIONARY_BATCH, RECORD_BATCH].includes(kind))
    throw new TableError('BAD_FORMAT', 'the Arrow data holds tensors, which are not tables');
  if (bodyBytes % 8 !== 0) throw brokenArrow('the body of a message has no whole number of words');
  if (bodyBytes > MAX_BODY)
    throw new TableError(
      'BAD_FORMAT',
      `the Arrow data has a record batch of ${bodyBytes} bytes, and at most ${MAX_BODY} are read: write it again with smaller record batches`,
    );
  return { kind, version, header, message, bodyBytes };
}

/** Checks the version of metadata, by its number. */
export function checkVersion(version: number): number {
  if (version !== 3 && version !== 4)
    throw new TableError(
      'BAD_FORMAT',
      `the Arrow data has metadata of version ${version + 1}; versions 4 and 5 are read`,
    );
  return version;
}

/** Returns the uint32 at the start of `bytes`. */
export const firstWord = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
