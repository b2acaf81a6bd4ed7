/** Sends the answers of a request: those of a short body at once, those of a long one as they come. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyReader } from '../bodies/read-rows.ts';
import type { BodyRows } from '../bodies/body-rows.ts';
import type { ReplyFormat } from '../bodies/reply-formats.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServiceParts } from '../service-types.ts';
import type { Answered, LookUp } from './look-up.ts';
import { bodyLength, receive, receiveWhole } from './receive-body.ts';

/** A body up to this size is read whole, and its rows are one call. */
const SHORT_BYTES = 2 ** 20;
/** An answer up to this number of rows is sent at once. */
const SHORT_ROWS = 4096;

/** What a request asks, and in which formats. */
export interface Asking<Values> {
  lookUp: LookUp<Values>;
  reader: BodyReader<BodyRows<Values>>;
  format: ReplyFormat;
  signal: AbortSignal;
}

/**
 * Reads the body, looks up its rows and answers.
 * @throws HttpRefusal; the errors of the look-up. An error after the first bytes of the answer cuts the connection.
 */
export async function answerRows<Values>(
  request: FastifyRequest,
  reply: FastifyReply,
  { lookUp, reader, format, signal }: Asking<Values>,
  parts: ServiceParts,
): Promise<unknown> {
  const { settings, metrics } = parts,
    length = bodyLength(request.raw);
  const note = (answered: Answered): Answered => {
    metrics.noteAnswers(answered.status, answered.stats);
    return answered;
  };
  const head = ({ timestamp }: Answered) => {
    void reply.type(format.mediaType);
    if (timestamp) void reply.header('graphene-points-timestamp', timestamp.toISOString());
    return { timestamp, columns: lookUp.columns };
  };
  if (length !== undefined && length <= SHORT_BYTES && reader.whole) {
    const rows = reader.whole(await receiveWhole(request.raw, settings));
    requireRows(rows.count, settings.maxPoints);
    const answered = note(await lookUp.once(rows, signal));
    if (rows.count > SHORT_ROWS || !format.createPrompt)
      return streamed(pieces(format.create(head(answered)), [answered]), reply, settings.stallMs);
    const writer = format.createPrompt(head(answered)),
      bytes = [...writer.write(answered.batch), ...writer.finish()];
    return bytes.length === 1 ? bytes[0] : Buffer.concat(bytes);
  }
  const counted = countRows(reader.stream(receive(request.raw, settings)), (count) => {
    requireRows(count, settings.maxPoints);
    request.pass?.grow(count);
  });
  const answers = lookUp.stream(counted, signal),
    first = await answers.next();
  // A table without rows has one batch without rows in most formats.
  const start = first.done ? note(await lookUp.once(emptyRows<Values>(), signal)) : note(first.value);
  const writer = format.create(head(start));
  async function* all(): AsyncGenerator<Answered> {
    yield start;
    for await (const answered of answers) yield note(answered);
  }
  return streamed(pieces(writer, first.done ? [start] : all()), reply, settings.stallMs);
}

function requireRows(count: number, maxPoints: number): void {
  if (count > maxPoints)
    throw new HttpRefusal(
      413,
      `the body has more than ${maxPoints} rows, the most of one request: send several requests`,
    );
}

const emptyRows = <Values>(): BodyRows<Values> => ({
  values: new BigUint64Array(0) as unknown as Values,
  count: 0,
});

async function* countRows<Rows extends BodyRows<unknown>>(
  batches: AsyncGenerator<Rows>,
  note: (count: number) => void,
): AsyncGenerator<Rows> {
  let count = 0;
  for await (const rows of batches) {
    note((count += rows.count));
    yield rows;
  }
}

async function* pieces(
  writer: ReturnType<ReplyFormat['create']>,
  answers: AsyncIterable<Answered> | Iterable<Answered>,
): AsyncGenerator<Uint8Array> {
  for await (const { batch } of answers)
    for await (const piece of writer.write(batch)) if (piece.length > 0) yield piece;
  for await (const piece of writer.finish()) if (piece.length > 0) yield piece;
}

/** Makes a stream that is read no faster than the client reads. A client that stops reading is cut off. */
function streamed(source: AsyncGenerator<Uint8Array>, { raw }: FastifyReply, stallMs: number): Readable {
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      const timer = setTimeout(() => raw.destroy(), stallMs);
      try {
        yield piece;
      } finally {
        clearTimeout(timer);
      }
    }
  }
  return Readable.from(watched(), { objectMode: false, highWaterMark: 2 ** 18 });
}
