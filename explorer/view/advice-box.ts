/** Says that points are outside the volume, and offers units that would put them inside. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { UnitAdvice } from '../points/units.ts';
import { formatCount, make } from './dom.ts';

const OFFERED = 3;
const format = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 });
const span = ([low, high]: UnitAdvice['bounds'], axis: number): string =>
  `${'xyz'[axis]} from ${format(low[axis])} to ${format(high[axis])}`;

export function showAdvice(
  box: HTMLElement,
  { points, inside, bounds, fits }: UnitAdvice,
  onUnit: (resolution: Vec3) => void,
): void {
  if (points === 0 || inside === points) return box.replaceChildren();
  const most = 2 * inside < points;
  const text = make('p', {
    textContent: `${formatCount(points - inside)} of ${formatCount(points)} points are outside the volume. In this unit it has ${span(bounds, 0)}, ${span(bounds, 1)} and ${span(bounds, 2)}.`,
  });
  box.replaceChildren(text);
  if (!most) return;
  if (fits.length === 0)
    box.append(make('p', { textContent: 'No usual unit puts them inside: is it the right volume?' }));
  else {
    const buttons = fits.slice(0, OFFERED).map(({ name, resolution, inside: fitting }) => {
      const button = make('button', {
        type: 'button',
        textContent: `Use ${name}: ${formatCount(fitting)} inside`,
      });
      button.addEventListener('click', () => onUnit(resolution));
      return button;
    });
    box.append(
      make('p', { textContent: 'They fit in another unit:' }),
      make('div', { className: 'buttons' }, ...buttons),
    );
  }
}
