/**
 * Answers as an Arrow stream: one record batch for each batch of answers, so that nothing is kept.
 * Source: "Arrow Columnar Format", section "IPC Streaming Format"; Arrow, format/Schema.fbs.
 */
import { PointStatus, statusText } from '../../points/status.ts';
import { ANSWER_TYPES, answerBuffers } from '../../tables/arrow/answer-buffers.ts';
import { SCHEMA } from '../../tables/arrow/arrow-messages.ts';
import { dictionaryMessage, recordBatchMessage } from '../../tables/arrow/arrow-metadata.ts';
import { flat, FlatWriter } from '../../tables/arrow/flat-writer.ts';
import type { AnswerType, AnswerValues } from '../../tables/columnar/column.ts';
import type { ReplyBatch, ReplyColumn, ReplyHead, ReplyValues, PromptReplyWriter } from './reply-columns.ts';

/** The number of version 5 of the metadata. */
const VERSION_5 = 4;
const ALIGNMENT = 64;
/** The dictionary of status texts. Its indices are the codes. */
const STATUSES = 0n;
const STATUS_TEXTS = Object.values(PointStatus).map(statusText);

const TYPES: Readonly<Record<ReplyColumn['kind'], AnswerType>> = {
  id: 'uint64',
  status: 'string',
  number: 'float64',
  flag: 'boolean',
};

/** Writes the schema and the statuses first, then one record batch after the other. */
export class ArrowReply implements PromptReplyWriter {
  readonly #columns: readonly ReplyColumn[];
  #hasBegun = false;

  constructor({ columns }: ReplyHead) {
    this.#columns = columns;
  }

  *write({ rows, columns }: ReplyBatch): Generator<Uint8Array> {
    yield* this.#begin();
    if (rows === 0) return;
    yield* message(
      rows,
      columns.map((values, k) => toAnswerColumn(this.#columns[k].kind, values)),
    );
  }

  *finish(): Generator<Uint8Array> {
    yield* this.#begin();
    yield Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);
  }

  *#begin(): Generator<Uint8Array> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    yield* framed(schemaOf(this.#columns), []);
    const spellings = STATUS_TEXTS,
      values = Uint8Array.from(spellings, (_, index) => index);
    if (this.#columns.some(({ kind }) => kind === 'status'))
      yield* message(spellings.length, [['string', { values, spellings }]], STATUSES);
  }
}

type TypedColumn = readonly [type: AnswerType, values: AnswerValues];

/** Returns a column with its missing values. */
function toAnswerColumn(kind: ReplyColumn['kind'], values: ReplyValues): TypedColumn {
  if (kind === 'status') return ['uint8', { values }];
  const valid = new Uint8Array(values.length);
  if (kind === 'id') {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let row = 0; row < valid.length; row++) valid[row] = words[2 * row] | words[2 * row + 1] ? 1 : 0;
  } else if (kind === 'number')
    for (let row = 0; row < valid.length; row++) valid[row] = Number.isNaN(values[row]) ? 0 : 1;
  else for (let row = 0; row < valid.length; row++) valid[row] = (values[row] as number) < 2 ? 1 : 0;
  return [
    TYPES[kind],
    { values: kind === 'flag' ? (values as Uint8Array).map((value) => value & 1) : values, valid },
  ];
}

/** Yields a record batch, or a dictionary. */
function* message(rows: number, columns: readonly TypedColumn[], dictionary?: bigint): Generator<Uint8Array> {
  const nodes: number[] = [],
    buffers: number[] = [],
    body: Uint8Array[] = [];
  let bodyBytes = 0;
  for (const [type, values] of columns) {
    const { nullCount, buffers: own } = answerBuffers(type, values, rows);
    nodes.push(rows, nullCount);
    for (const bytes of own) {
      const padding = new Uint8Array(-bytes.length & (ALIGNMENT - 1));
      buffers.push(bodyBytes, bytes.length);
      body.push(bytes, padding);
      bodyBytes += bytes.length + padding.length;
    }
  }
  const metadata = {
    version: VERSION_5,
    rows,
    nodes,
    buffers,
    variadicCounts: [],
    codec: undefined,
    bodyBytes,
  };
  yield* framed(
    dictionary === undefined ? recordBatchMessage(metadata) : dictionaryMessage(dictionary, metadata),
    body.filter(({ length }) => length > 0),
  );
}

function* framed(metadata: Uint8Array, body: readonly Uint8Array[]): Generator<Uint8Array> {
  const prefix = new DataView(new ArrayBuffer(8));
  prefix.setUint32(0, 0xffffffff, true);
  prefix.setUint32(4, metadata.length, true);
  yield new Uint8Array(prefix.buffer);
  yield metadata;
  yield* body;
}

function schemaOf(columns: readonly ReplyColumn[]): Uint8Array {
  const writer = new FlatWriter();
  const root = writer.table([flat.short(VERSION_5), flat.byte(SCHEMA), flat.offset, flat.long(0)]);
  const schema = writer.table([flat.short(0), flat.offset]);
  writer.point(root.slots[2], schema.position);
  const list = writer.offsets(columns.length);
  writer.point(schema.slots[1], list.position);
  columns.forEach((column, k) => writer.point(list.slots[k], putField(writer, column)));
  return writer.finish(root.position);
}

function putField(writer: FlatWriter, { name, kind }: ReplyColumn): number {
  const { number, bits, isSigned, precision } = ANSWER_TYPES[TYPES[kind]],
    isStatus = kind === 'status';
  const field = writer.table([
    flat.offset,
    flat.byte(isStatus ? 0 : 1),
    flat.byte(number),
    flat.offset,
    isStatus ? flat.offset : undefined,
    flat.offset,
  ]);
  writer.point(field.slots[0], writer.text(name));
  const parameters =
    bits !== undefined
      ? [flat.int(bits), flat.byte(isSigned ? 1 : 0)]
      : precision !== undefined
        ? [flat.short(precision)]
        : [];
  writer.point(field.slots[3], writer.table(parameters).position);
  if (isStatus) {
    const dictionary = writer.table([flat.long(STATUSES), flat.offset]);
    writer.point(field.slots[4], dictionary.position);
    writer.point(dictionary.slots[1], writer.table([flat.int(8), flat.byte(0)]).position);
  }
  writer.point(field.slots[5], writer.offsets(0).position);
  return field.position;
}
