/** The formats of answers, by media type and by name. */
import { HttpRefusal } from '../http-errors.ts';
import { ArrowReply } from './arrow-reply.ts';
import { BinaryReply } from './binary-reply.ts';
import { CsvReply } from './csv-reply.ts';
import { JsonReply } from './json-reply.ts';
import { NpyReply } from './npy-reply.ts';
import { ParquetReply } from './parquet-reply.ts';
import type { PromptReplyWriter, ReplyHead, ReplyWriter } from './reply-columns.ts';

/** A format of answers. */
export interface ReplyFormat {
  /** The value of the parameter `format`. */
  name: string;
  mediaType: string;
  /** Whether only answers to points have it, because it holds the points. */
  needsPoints?: boolean;
  create(head: ReplyHead): ReplyWriter;
  /** Set if the writer never waits: a short answer is then sent at once. */
  createPrompt?(head: ReplyHead): PromptReplyWriter;
}

const prompt = (
  name: string,
  mediaType: string,
  create: (head: ReplyHead) => PromptReplyWriter,
): ReplyFormat => ({ name, mediaType, create, createPrompt: create });

/** The formats; the first is the default. */
export const REPLY_FORMATS: readonly ReplyFormat[] = [
  prompt('json', 'application/json', (head) => new JsonReply(head)),
  prompt('csv', 'text/csv', (head) => new CsvReply(head)),
  prompt('arrow', 'application/vnd.apache.arrow.stream', (head) => new ArrowReply(head)),
  prompt('npy', 'application/x-npy', (head) => new NpyReply(head)),
  prompt('binary', 'application/octet-stream', (head) => new BinaryReply(head)),
  {
    name: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    needsPoints: true,
    create: (head) => new ParquetReply(head),
  },
];

/** The formats of answers without points. */
export const ID_REPLY_FORMATS = REPLY_FORMATS.filter(({ needsPoints }) => !needsPoints);

/**
 * Chooses the format of an answer.
 * @param formats Those that there are.
 * @param named The parameter `format`, one of the names.
 * @param accept The header `Accept`. Of types with the same weight, the first in the header is taken.
 * @throws HttpRefusal 406.
 */
export function chooseReplyFormat(
  formats: readonly ReplyFormat[],
  named: string | undefined,
  accept: string | undefined,
): ReplyFormat {
  if (named !== undefined) return formats.find(({ name }) => name === named)!;
  if (accept === undefined || accept === '*/*' || accept === '') return formats[0];
  const ranges = accept
    .split(',')
    .map((range) => {
      const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { type, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { type } of ranges) {
    const format = formats.find(({ mediaType }) => matches(type, mediaType));
    if (format) return format;
  }
  throw new HttpRefusal(
    406,
    `no format of an answer is acceptable: Accept may name ${formats.map(({ mediaType }) => mediaType).join(', ')}`,
  );
}

const matches = (range: string, mediaType: string): boolean =>
  range === '*/*' || range === mediaType || range === `${mediaType.split('/')[0]}/*`;
