/**
 * Builds Arrow schemas and record batches from columns in memory.
 * Source: Arrow, format/Schema.fbs; "Arrow Columnar Format", section "Physical Memory Layout".
 */
import { type AnswerType, packBits } from '../columnar/column.ts';
import { ANSWER_TYPES } from './answer-buffers.ts';
import { type ArrowInput, type ArrowMessage, readMessageMetadata, SCHEMA } from './arrow-messages.ts';
import { dictionaryMessage, recordBatchMessage } from './arrow-metadata.ts';
import type { FlatTable } from './flat-table.ts';
import { flat, FlatWriter } from './flat-writer.ts';

/** The number of version 5 of the metadata. */
const VERSION_5 = 4;
const ALIGNMENT = 64;
const TIMESTAMP = 10,
  LIST = 12,
  STRUCT = 13,
  FIXED_SIZE_LIST = 16,
  DURATION = 18;

/** The type of a column that is built. Units of times are 0 to 3: s, ms, us and ns. */
export type BuiltType =
  | AnswerType
  | { kind: 'timestamp' | 'duration'; unit: number }
  | { kind: 'list'; item: BuiltType; size?: number }
  | { kind: 'struct'; fields: readonly BuiltField[] };

/** A column that is built. */
export interface BuiltField {
  name: string;
  type: BuiltType;
}

/** The values of a column that is built, or of a part of one. */
export interface BuiltColumn {
  length: number;
  /** 1 for each value that is present, 0 for null; undefined if all are present. */
  valid?: Uint8Array;
  /** The buffers after the marks of the nulls: the values; the offsets and the text; the offsets of lists. */
  buffers: readonly Uint8Array[];
  children?: readonly BuiltColumn[];
  /** The number of data buffers of a column of views. */
  variadic?: number;
}

/** Returns the table of a schema. */
export function buildSchema(fields: readonly BuiltField[]): FlatTable {
  const writer = new FlatWriter();
  const message = writer.table([flat.short(VERSION_5), flat.byte(SCHEMA), flat.offset, flat.long(0)]);
  const schema = writer.table([flat.short(0), flat.offset]);
  writer.point(message.slots[2], schema.position);
  putFields(writer, schema.slots[1], fields);
  return readMessageMetadata(writer.finish(message.position)).header;
}

function putFields(writer: FlatWriter, slot: number, fields: readonly BuiltField[]): void {
  const list = writer.offsets(fields.length);
  writer.point(slot, list.position);
  fields.forEach((field, k) => writer.point(list.slots[k], putField(writer, field)));
}

function putField(writer: FlatWriter, { name, type }: BuiltField): number {
  const { number, parameters, children } = describe(type);
  const field = writer.table([
    flat.offset,
    flat.byte(1),
    flat.byte(number),
    flat.offset,
    undefined,
    flat.offset,
  ]);
  writer.point(field.slots[0], writer.text(name));
  writer.point(field.slots[3], writer.table(parameters).position);
  putFields(writer, field.slots[5], children);
  return field.position;
}

function describe(type: BuiltType): {
  number: number;
  parameters: Parameters<FlatWriter['table']>[0];
  children: readonly BuiltField[];
} {
  if (typeof type === 'string') {
    const { number, bits, isSigned, precision } = ANSWER_TYPES[type];
    const parameters =
      bits !== undefined
        ? [flat.int(bits), flat.byte(isSigned ? 1 : 0)]
        : precision !== undefined
          ? [flat.short(precision)]
          : [];
    return { number, parameters, children: [] };
  }
  switch (type.kind) {
    case 'timestamp':
      return { number: TIMESTAMP, parameters: [flat.short(type.unit)], children: [] };
    case 'duration':
      return { number: DURATION, parameters: [flat.short(type.unit)], children: [] };
    case 'list': {
      const children = [{ name: 'item', type: type.item }];
      return type.size === undefined
        ? { number: LIST, parameters: [], children }
        : { number: FIXED_SIZE_LIST, parameters: [flat.int(type.size)], children };
    }
    case 'struct':
      return { number: STRUCT, parameters: [], children: type.fields };
  }
}

/** Returns the message of a record batch. */
export function buildBatch(columns: readonly BuiltColumn[], rows: number): ArrowMessage {
  const { body, ...parts } = layOutColumns(columns);
  const metadata = recordBatchMessage({ version: VERSION_5, rows, ...parts });
  return { ...readMessageMetadata(metadata), body };
}

/** Returns the message of a dictionary. */
export function buildDictionary(id: bigint, values: BuiltColumn): ArrowMessage {
  const { body, ...parts } = layOutColumns([values]);
  const metadata = dictionaryMessage(id, { version: VERSION_5, rows: values.length, ...parts });
  return { ...readMessageMetadata(metadata), body };
}

/** The columns of a record batch as its metadata describes them. */
type BatchLayout = Omit<Parameters<typeof recordBatchMessage>[0], 'version' | 'rows'>;

function layOutColumns(columns: readonly BuiltColumn[]): BatchLayout & { body: Uint8Array } {
  const nodes: number[] = [],
    spans: number[] = [],
    variadicCounts: number[] = [],
    pieces: { bytes: Uint8Array; at: number }[] = [];
  let bodyBytes = 0;
  const put = (bytes: Uint8Array): void => {
    spans.push(bodyBytes, bytes.length);
    if (bytes.length > 0) pieces.push({ bytes, at: bodyBytes });
    bodyBytes += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  };
  const visit = ({ length, valid, buffers, children = [], variadic }: BuiltColumn): void => {
    let nulls = 0;
    if (valid) for (let i = 0; i < length; i++) nulls += 1 - valid[i];
    nodes.push(length, nulls);
    if (variadic !== undefined) variadicCounts.push(variadic);
    put(nulls > 0 ? packBits(valid!.subarray(0, length)) : new Uint8Array(0));
    buffers.forEach(put);
    children.forEach(visit);
  };
  columns.forEach(visit);
  const body = new Uint8Array(bodyBytes);
  for (const { bytes, at } of pieces) body.set(bytes, at);
  return { nodes, buffers: spans, variadicCounts, codec: undefined, bodyBytes, body };
}

/** Makes an input of record batches that are built. @param batches Called once. */
export const builtInput = (
  fields: readonly BuiltField[],
  batches: () => AsyncGenerator<ArrowMessage>,
  close: () => Promise<void> = async () => {},
): ArrowInput => ({ isFile: false, version: VERSION_5, schema: buildSchema(fields), batches, close });

/** Returns the bytes of an array. They are a view. */
export const viewBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
