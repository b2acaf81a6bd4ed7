/** Reads points from pasted or dropped text, whatever of the known forms it has. */
import { type Breathe, PasteError, type PastedPoints } from './pasted-points.ts';
import { readCoordinates } from './read-coordinates.ts';
import { readDelimited } from './read-delimited.ts';
import { readJson } from './read-json.ts';
import { readPosition } from './read-number.ts';
import { isState, isStateLink, readState, toPlainJson } from './read-state.ts';

const firstLineOf = (text: string): string => /[^\s][^\r\n]*/.exec(text)?.[0] ?? '';

/**
 * Reads CSV, TSV, JSON, a Neuroglancer state or link, or lines of coordinates.
 *
 * @param breathe Awaited every few thousand rows, so that the page stays smooth.
 * @throws PasteError
 */
export async function readPoints(text: string, breathe: Breathe): Promise<PastedPoints> {
  const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text,
    first = firstLineOf(clean);
  if (first === '') throw new PasteError('There is no text.');
  if (isStateLink(first)) return readState(clean.trim());
  if (first.startsWith('{') || first.startsWith('[')) {
    const json = parseJson(clean);
    if (json !== undefined) return isState(json) ? readState(json) : readJson(json, breathe);
    if (first.startsWith('{') && !readPosition(first))
      throw new PasteError('The text begins like JSON, but it is not valid JSON. Is it cut?');
  }
  return readPosition(first) ? readCoordinates(clean, breathe) : readDelimited(clean, breathe);
}

/** IDs of more digits than a double holds stay texts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(toPlainJson(text, false)) as unknown;
  } catch {
    return undefined;
  }
}
