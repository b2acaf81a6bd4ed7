/** IDs from decimal texts. */
import { wordsOf } from '../../base/uint64.ts';
import { toPrintable } from '../../base/printable.ts';
import { parseId } from '../../tables/text/decimal.ts';
import { HttpRefusal } from '../http-errors.ts';

/** The longest text of a uint64 has 20 digits. */
const MAX_DIGITS = 20,
  DIGITS = /^[0-9]{1,20}$/;

/**
 * Reads a list of decimal texts.
 * @param first The index of the first ID in the body, for messages.
 * @throws HttpRefusal 400 that names the ID.
 */
export function idsOfTexts(list: readonly unknown[], first: number): BigUint64Array {
  const ids = new BigUint64Array(list.length),
    words = wordsOf(ids),
    digits = Buffer.allocUnsafe(MAX_DIGITS);
  for (let index = 0; index < list.length; index++) {
    const text = list[index];
    const end = typeof text === 'string' && DIGITS.test(text) ? digits.write(text, 'latin1') : 0;
    if (end === 0 || !parseId(digits, 0, end, words, 2 * index))
      throw new HttpRefusal(
        400,
        typeof text === 'number'
          ? `ids[${first + index}] is a number, which JSON readers round beyond 2^53: send IDs as decimal texts`
          : `ids[${first + index}] is ${typeof text === 'string' ? JSON.stringify(toPrintable(text, 40)) : 'no text'}; expected a decimal text of a uint64`,
      );
  }
  return ids;
}
