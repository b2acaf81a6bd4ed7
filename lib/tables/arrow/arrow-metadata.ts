/**
 * Writes the metadata of messages: the schema with columns of answers, record batches, the footer.
 *
 * What an input's schema says about its own columns is never written anew: its bytes are copied whole, and
 * the new schema points into them, so that nothing is lost.
 * Source: Arrow, format/Schema.fbs, format/Message.fbs and format/File.fbs.
 */
import type { AnswerField } from '../columnar/column.ts';
import { ANSWER_TYPES } from './answer-buffers.ts';
import { DICTIONARY_BATCH, RECORD_BATCH, SCHEMA } from './arrow-messages.ts';
import type { ArrowSchema } from './arrow-schema.ts';
import type { FlatTable } from './flat-table.ts';
import { flat, FlatWriter } from './flat-writer.ts';

/** A column of the output: a column of the input by its index, or answers. */
export type OutputColumn = { kept: number } | { answer: AnswerField };

/** Where a message is in a file, and its sizes. */
export interface Block {
  offset: number;
  metadataBytes: number;
  bodyBytes: number;
}

/** The schema of an output. */
export interface OutputSchema {
  /** The version of the metadata, by its number. */
  version: number;
  input: ArrowSchema;
  /** The table of the footer of the input, whose own metadata is kept. */
  footer?: FlatTable;
  columns: readonly OutputColumn[];
  /** The metadata of the schema whose values are new. */
  metadata: ReadonlyMap<string, string>;
}

/** Returns the metadata of the message with the schema. */
export function schemaMessage(schema: OutputSchema): Uint8Array {
  const writer = new FlatWriter();
  const message = writer.table([flat.short(schema.version), flat.byte(SCHEMA), flat.offset, flat.long(0)]);
  writer.point(message.slots[2], writeSchema(writer, schema).position);
  return writer.finish(message.position);
}

/** Returns the footer of a file. */
export function fileFooter(
  schema: OutputSchema,
  dictionaries: readonly Block[],
  batches: readonly Block[],
): Uint8Array {
  const writer = new FlatWriter();
  const notes = schema.footer?.target(4);
  const footer = writer.table([
    flat.short(schema.version),
    flat.offset,
    flat.offset,
    flat.offset,
    notes === undefined ? undefined : flat.offset,
  ]);
  const { position, old } = writeSchema(writer, schema);
  writer.point(footer.slots[1], position);
  if (notes !== undefined) writer.point(footer.slots[4], old + notes);
  writer.point(footer.slots[2], writer.blocks(dictionaries));
  writer.point(footer.slots[3], writer.blocks(batches));
  return writer.finish(footer.position);
}

/** Writes the table of the schema. @returns Its position, and where the bytes of the input begin. */
function writeSchema(
  writer: FlatWriter,
  { input, columns, metadata }: OutputSchema,
): { position: number; old: number } {
  const { table } = input;
  const features = table.vector(3, 8);
  const schema = writer.table([
    flat.short(0),
    flat.offset,
    flat.offset,
    features.length > 0 ? flat.offset : undefined,
  ]);
  const fields = writer.offsets(columns.length),
    keys = [...new Set([...input.metadata.map(({ key }) => key), ...metadata.keys()])],
    entries = writer.offsets(keys.length);
  writer.point(schema.slots[1], fields.position);
  writer.point(schema.slots[2], entries.position);
  columns.forEach((column, k) => {
    if ('answer' in column) writer.point(fields.slots[k], writeField(writer, column.answer));
  });
  keys.forEach((key, k) => {
    const value = metadata.get(key);
    if (value === undefined) return;
    const entry = writer.table([flat.offset, flat.offset]);
    writer.point(entries.slots[k], entry.position);
    writer.point(entry.slots[0], writer.text(key));
    writer.point(entry.slots[1], writer.text(value));
  });
  const old = writer.copy(table.bytes);
  columns.forEach((column, k) => {
    if ('kept' in column) writer.point(fields.slots[k], old + input.fields[column.kept].position);
  });
  keys.forEach((key, k) => {
    if (!metadata.has(key))
      writer.point(entries.slots[k], old + input.metadata.find((entry) => entry.key === key)!.position);
  });
  if (features.length > 0) writer.point(schema.slots[3], old + features.start - 4);
  return { position: schema.position, old };
}

function writeField(writer: FlatWriter, { name, type }: AnswerField): number {
  const { number, bits, isSigned, precision } = ANSWER_TYPES[type];
  const field = writer.table([
    flat.offset,
    flat.byte(1),
    flat.byte(number),
    flat.offset,
    undefined,
    flat.offset,
  ]);
  const parameters = writer.table(
    bits !== undefined
      ? [flat.int(bits), flat.byte(isSigned ? 1 : 0)]
      : precision !== undefined
        ? [flat.short(precision)]
        : [],
  );
  writer.point(field.slots[0], writer.text(name));
  writer.point(field.slots[3], parameters.position);
  writer.point(field.slots[5], writer.offsets(0).position);
  return field.position;
}

/** The parts of a record batch that is written. */
export interface BatchMetadata {
  version: number;
  rows: number;
  /** Pairs of a length and a number of nulls. */
  nodes: readonly number[];
  /** Pairs of an offset and a length. */
  buffers: readonly number[];
  variadicCounts: readonly number[];
  codec: number | undefined;
  bodyBytes: number;
  /** The message of the input, whose own metadata is kept. @default There is none. */
  message?: FlatTable;
}

/** Returns the metadata of the message with a record batch. */
export function recordBatchMessage(batch: BatchMetadata): Uint8Array {
  const { version, bodyBytes, message: input } = batch;
  const notes = input?.target(4);
  const writer = new FlatWriter();
  const message = writer.table([
    flat.short(version),
    flat.byte(RECORD_BATCH),
    flat.offset,
    flat.long(bodyBytes),
    notes === undefined ? undefined : flat.offset,
  ]);
  writer.point(message.slots[2], writeBatch(writer, batch));
  if (notes !== undefined) writer.point(message.slots[4], writer.copy(input!.bytes) + notes);
  return writer.finish(message.position);
}

/** Returns the metadata of the message with the values of a dictionary. */
export function dictionaryMessage(id: bigint, batch: BatchMetadata, isDelta = false): Uint8Array {
  const writer = new FlatWriter();
  const message = writer.table([
    flat.short(batch.version),
    flat.byte(DICTIONARY_BATCH),
    flat.offset,
    flat.long(batch.bodyBytes),
  ]);
  const dictionary = writer.table([flat.long(id), flat.offset, flat.byte(isDelta ? 1 : 0)]);
  writer.point(message.slots[2], dictionary.position);
  writer.point(dictionary.slots[1], writeBatch(writer, batch));
  return writer.finish(message.position);
}

/** Writes the table of a record batch. @returns Its position. */
function writeBatch(
  writer: FlatWriter,
  { rows, nodes, buffers, variadicCounts, codec }: BatchMetadata,
): number {
  const header = writer.table([
    flat.long(rows),
    flat.offset,
    flat.offset,
    codec === undefined ? undefined : flat.offset,
    variadicCounts.length > 0 ? flat.offset : undefined,
  ]);
  writer.point(header.slots[1], writer.longs(nodes, 2));
  writer.point(header.slots[2], writer.longs(buffers, 2));
  if (codec !== undefined)
    writer.point(header.slots[3], writer.table([flat.byte(codec), flat.byte(0)]).position);
  if (variadicCounts.length > 0) writer.point(header.slots[4], writer.longs(variadicCounts, 1));
  return header.position;
}
