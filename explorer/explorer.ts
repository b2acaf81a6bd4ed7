/** The page: the form, the look-up, and the results. */
import type { Vec3 } from '../lib/base/vec3.ts';
import type { PastedPoints } from './points/pasted-points.ts';
import { adviseUnits } from './points/units.ts';
import { compareRoots, type LookUp, lookUpPoints, pinTimestamp } from './service/look-up.ts';
import { ServiceClient } from './service/service-client.ts';
import type { VolumeInfo } from './service/volume-info.ts';
import { ServiceError } from './service/service-error.ts';
import { showAdvice } from './view/advice-box.ts';
import { byId, formatCount, option, plural } from './view/dom.ts';
import { type Asked, Exports } from './view/exports.ts';
import { PointsPanel } from './view/points-panel.ts';
import { Results } from './view/results.ts';
import { shortTime, TimeField } from './view/time-field.ts';
import { UnitField } from './view/unit-field.ts';
import { countRoots } from './answers/counts.ts';
import { clearChanges } from './answers/changes.ts';
import { randomPoints } from './points/random-points.ts';

export class Explorer {
  readonly #client = new ServiceClient();
  readonly #results = new Results();
  readonly #panel = new PointsPanel((points) => this.#setPoints(points));
  readonly #unit = new UnitField(() => this.#advise());
  readonly #time = new TimeField(byId('time-field'), 'time', false);
  readonly #other = new TimeField(byId('other-field'), 'other', true);
  readonly #volume = byId<HTMLSelectElement>('volume');
  readonly #start = byId<HTMLButtonElement>('start');
  readonly #cancel = byId<HTMLButtonElement>('cancel');
  readonly #problem = byId('problem');
  readonly #live = byId('live');
  readonly #progress = byId<HTMLProgressElement>('progress');
  #points: PastedPoints | undefined;
  #info: VolumeInfo | undefined;
  #asked: Asked | undefined;
  #running: AbortController | undefined;
  /** What the answers of the page belong to. The rest of a cancelled look-up is asked again only for the same. */
  #key = '';
  /** The second time that the answers were compared with, as it was chosen. */
  #compared: string | undefined;
  /** What the comparison found, as a sentence. */
  #changes = '';

  constructor() {
    new Exports(this.#results, () => this.#asked);
    byId('ask').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#cancel.addEventListener('click', () =>
      this.#running?.abort(new DOMException('cancelled', 'AbortError')),
    );
    this.#volume.addEventListener('change', () => void this.#loadInfo());
    const token = byId<HTMLInputElement>('token');
    token.addEventListener('change', () => {
      this.#client.token = token.value.trim();
      void this.#load();
    });
    byId('random').addEventListener('click', () => {
      if (!this.#info) return;
      const count = 1000;
      this.#panel.setPoints(
        randomPoints(this.#info.scales[0], this.#unit.resolution, count),
        `${plural(count, 'random point')} in the volume`,
      );
    });
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.#problem.textContent = '';
      const volumes = await this.#client.volumes();
      this.#volume.replaceChildren(...volumes.map((name) => option(name, name)));
      await this.#loadInfo();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #loadInfo(): Promise<void> {
    const name = this.#volume.value,
      summary = byId('volume-summary');
    this.#info = undefined;
    summary.textContent = '';
    try {
      const info = await this.#client.info(name);
      if (this.#volume.value !== name) return;
      this.#info = info;
      const [{ size, resolution }] = info.scales;
      summary.textContent = `${size.map(formatCount).join(' × ')} voxels of ${resolution.join(' × ')} nm${info.kind === 'graph' ? '' : ', no graph'}`;
      this.#unit.setInfo(info);
      this.#time.setInfo(info);
      this.#other.setInfo(info);
      byId('times').hidden = !info.roots;
      byId<HTMLButtonElement>('random').disabled = false;
      this.#problem.textContent = '';
      this.#advise();
    } catch (error) {
      this.#fail(error);
    }
    this.#showButtons();
  }

  #setPoints(points: PastedPoints | undefined): void {
    this.#points = points;
    if (points?.resolution) this.#unit.choose(points.resolution);
    this.#advise();
    this.#showButtons();
  }

  #showButtons(): void {
    const count = (this.#points?.coordinates.length ?? 0) / 3;
    this.#start.disabled = count === 0 || !this.#info || this.#running !== undefined;
    this.#start.textContent = count > 0 ? `Look up ${plural(count, 'point')}` : 'Look up';
    this.#cancel.hidden = this.#running === undefined;
  }

  #advise(): void {
    const box = byId('advice');
    const resolution = this.#resolution();
    if (!this.#points || !this.#info || !resolution) return box.replaceChildren();
    const scales = this.#info.scales
      .slice(1)
      .map((scale) => ({ name: `voxels of mip ${scale.mip}`, resolution: scale.resolution }));
    const advice = adviseUnits(this.#points.coordinates, resolution, this.#info.scales[0], [
      ...this.#unit.units,
      ...scales,
    ]);
    showAdvice(box, advice, (unit) => {
      this.#unit.choose(unit);
      this.#advise();
      byId('unit').focus();
    });
  }

  #resolution(): Vec3 | undefined {
    try {
      return this.#unit.resolution;
    } catch {
      return undefined;
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#problem.textContent = '';
    await this.#panel.settle();
    const points = this.#points,
      info = this.#info;
    if (!points || !info) return;
    const running = (this.#running = new AbortController());
    this.#showButtons();
    this.#cancel.focus();
    const began = performance.now();
    try {
      const lookUp: LookUp = {
        client: this.#client,
        info,
        coordinates: points.coordinates,
        resolution: this.#unit.resolution,
        signal: running.signal,
        onWait: (ms, error) =>
          (byId('pinned').textContent = `${error.message} Trying again in ${Math.ceil(ms / 1000)} s.`),
      };
      await this.#lookUp(lookUp, points);
      const { answers } = this.#results;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      this.#say(
        `Done: ${plural(answers.rows, 'point')}, ${plural(countRoots(answers).length, 'root')}, in ${seconds} s.${this.#changes}`,
      );
    } catch (error) {
      if (running.signal.aborted) this.#say(this.#restText('Cancelled'));
      else this.#fail(error);
    } finally {
      this.#running = undefined;
      const hadFocus = document.activeElement === this.#cancel;
      this.#showButtons();
      if (hadFocus) this.#start.focus();
      await this.#results.refresh();
    }
  }

  async #lookUp(lookUp: LookUp, points: PastedPoints): Promise<void> {
    const { info, resolution } = lookUp;
    const time = info.roots ? this.#time.value : undefined,
      other = info.roots ? this.#other.value : undefined;
    const key = JSON.stringify([info.name, resolution, time]);
    this.#changes = '';
    // Answers are kept if some are still missing, and if only the second time is another.
    const { answered, rows } = this.#results.answers,
      isMissing = answered < rows,
      isKept =
        this.#results.points === points &&
        this.#key === key &&
        this.#asked !== undefined &&
        (isMissing || other !== this.#compared);
    this.#live.textContent =
      isKept && !isMissing
        ? 'Comparing roots …'
        : `Looking up ${plural(points.coordinates.length / 3, 'point')} …`;
    const timestamp = isKept ? this.#asked!.timestamp : await pinTimestamp(lookUp, time ?? 'now');
    if (!isKept) await this.#results.start(points, resolution);
    this.#key = key;
    this.#asked = { lookUp, timestamp, otherTimestamp: undefined };
    byId('pinned').textContent = timestamp === undefined ? '' : `roots at ${shortTime(timestamp)} UTC`;
    byId('pinned').title = timestamp ?? '';
    const { answers } = this.#results;
    this.#showProgress();
    await lookUpPoints(lookUp, answers, timestamp, () => {
      this.#showProgress();
      byId('pinned').textContent = timestamp === undefined ? '' : `roots at ${shortTime(timestamp)} UTC`;
      this.#results.onAnswer();
    });
    clearChanges(answers);
    this.#compared = undefined;
    if (other !== undefined) await this.#compare(lookUp, other, timestamp);
    this.#compared = other;
    await this.#results.onChanges(other !== undefined);
  }

  async #compare(lookUp: LookUp, other: string, timestamp: string | undefined): Promise<void> {
    const otherTimestamp = await this.#client.timestamp(lookUp.info.name, other, lookUp.signal);
    const { compared, changed } = await compareRoots(lookUp, this.#results.answers, otherTimestamp);
    this.#asked!.otherTimestamp = otherTimestamp;
    byId('pinned').textContent =
      `roots at ${shortTime(timestamp ?? '')} UTC, compared with ${shortTime(otherTimestamp)} UTC`;
    this.#changes = ` ${formatCount(changed)} of ${plural(compared, 'row')} have another root at ${shortTime(otherTimestamp)} UTC.`;
  }

  #showProgress(): void {
    const { answered, rows } = this.#results.answers;
    this.#progress.max = rows;
    this.#progress.value = answered;
    this.#progress.title = `${formatCount(answered)} of ${formatCount(rows)}`;
  }

  #restText(what: string): string {
    const { answered, rows } = this.#results.answers;
    return answered < rows && rows > 0
      ? `${what}: ${formatCount(answered)} of ${plural(rows, 'point')} have answers. Look up again for the rest.`
      : `${what}.`;
  }

  #say(text: string): void {
    this.#live.textContent = text;
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const { answered, rows } = this.#results.answers;
    this.#problem.textContent =
      this.#running && answered > 0 && answered < rows ? `${message} ${this.#restText('Stopped')}` : message;
    this.#live.textContent = '';
    if (error instanceof ServiceError && error.status === 401) {
      byId<HTMLDetailsElement>('token-box').open = true;
      byId('token').focus();
    }
  }
}
