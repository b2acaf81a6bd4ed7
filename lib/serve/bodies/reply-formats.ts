/** The formats of answers, by media type and by name. */
import { HttpRefusal } from '../http-errors.ts';
import { ArrowReply } from './arrow-reply.ts';
import { BinaryReply } from './binary-reply.ts';
import { CsvReply } from './csv-reply.ts';
import { JsonReply } from './json-reply.ts';
import { NpyReply } from './npy-reply.ts';
import type { ReplyHead, ReplyWriter } from './reply-columns.ts';

/** A format of answers. */
export interface ReplyFormat {
  /** The value of the parameter `format`. */
  name: string;
  mediaType: string;
  /** Other spellings in `Accept`. */
  aliases?: readonly string[];
  create(head: ReplyHead): ReplyWriter;
}

/** The formats; the first is the default. */
export const REPLY_FORMATS: readonly ReplyFormat[] = [
  { name: 'json', mediaType: 'application/json', create: (head) => new JsonReply(head) },
  { name: 'csv', mediaType: 'text/csv', create: (head) => new CsvReply(head) },
  { name: 'arrow', mediaType: 'application/vnd.apache.arrow.stream', create: (head) => new ArrowReply(head) },
  { name: 'npy', mediaType: 'application/x-npy', create: (head) => new NpyReply(head) },
  { name: 'binary', mediaType: 'application/octet-stream', create: (head) => new BinaryReply(head) },
];

/** The names of the formats. */
export const REPLY_FORMAT_NAMES = REPLY_FORMATS.map(({ name }) => name);

/**
 * Chooses the format of an answer.
 * @param named The parameter `format`, one of the names.
 * @param accept The header `Accept`. Of types with the same weight, the first in the header is taken.
 * @throws HttpRefusal 406.
 */
export function chooseReplyFormat(named: string | undefined, accept: string | undefined): ReplyFormat {
  if (named !== undefined) return REPLY_FORMATS.find(({ name }) => name === named)!;
  if (accept === undefined || accept === '*/*' || accept === '') return REPLY_FORMATS[0];
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
    const format = REPLY_FORMATS.find(({ mediaType }) => matches(type, mediaType));
    if (format) return format;
  }
  throw new HttpRefusal(
    406,
    `no format of an answer is acceptable: Accept may name ${REPLY_FORMATS.map(({ mediaType }) => mediaType).join(', ')}`,
  );
}

const matches = (range: string, mediaType: string): boolean =>
  range === '*/*' || range === mediaType || range === `${mediaType.split('/')[0]}/*`;
