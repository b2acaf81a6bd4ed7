/** Reads lines with one position each, as viewers copy them: `[1, 2, 3]` or `1, 2, 3`. */
import { type Breathe, type PastedPoints, STRETCH } from './pasted-points.ts';
import { PointRows } from './point-rows.ts';
import { readPosition } from './read-number.ts';

/** Blank lines are skipped. A line without a position is kept as a point without numbers. */
export async function readCoordinates(text: string, breathe: Breathe): Promise<PastedPoints> {
  const rows = new PointRows();
  let line = 0;
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at),
      end = newline < 0 ? text.length : newline,
      content = text.slice(at, end);
    at = end + 1;
    if (++line % STRETCH === 0) await breathe();
    if (content.trim() === '') continue;
    const position = readPosition(content);
    if (position) rows.add(position);
    else rows.addUnreadable(`line ${line}`, content.trim());
  }
  return rows.finish('coordinates');
}
