/**
 * The real Neuroglancer in a page, as its Python package ships it: the same sources as the npm package, built by
 * their authors. `window.viewer` is the viewer.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { OpenBrowser } from './webgl-browser.ts';
import { WORK } from './environment.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return -- the viewer has no types here */
interface AnyViewer {
  state: { reset(): void; restoreState(json: unknown): void; toJSON(): unknown };
  position: { value: Float32Array };
  layerManager: { managedLayers: any[]; getLayerByName(name: string): any };
  coordinateSpace: { value: { names: string[]; scales: Float64Array; units: string[] } };
}

const PACKAGE = 'neuroglancer==2.41.2';
/** Of the script of the viewer; the package has one wheel for each kind of machine, all with this script. */
const MAIN = 'main.8608d1fc21b22785.js',
  MAIN_SHA256 = '8c47fe1319ac9cccac67083eb81ad42eabc8cce720e5a35564a74b8a00038c0e';
const TIMEOUT_MS = 20_000;
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
};

/** Downloads the package, once. @returns The folder of the page. */
function installViewer(python: string): string {
  const folder = join(WORK, PACKAGE.replace('==', '-')),
    page = join(folder, 'neuroglancer', 'static', 'client');
  if (!existsSync(page)) {
    const draft = `${folder}.partial`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    execFileSync(
      python,
      ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', draft, PACKAGE],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const wheel = join(
      draft,
      readdirSync(draft).find((name) => name.endsWith('.whl'))!,
    );
    execFileSync(python, ['-m', 'zipfile', '-e', wheel, draft]);
    rmSync(wheel);
    renameSync(draft, folder);
  }
  const hash = createHash('sha256')
    .update(readFileSync(join(page, MAIN)))
    .digest('hex');
  if (hash !== MAIN_SHA256) throw new Error(`${MAIN} of ${PACKAGE} has changed: its SHA-256 is ${hash}`);
  return page;
}

/** What the viewer shows. */
export interface ShownState {
  /** The JSON that it writes. */
  json: Record<string, unknown>;
  layers: ShownLayer[];
  /** What it could not load or draw. */
  errors: string[];
}

/** A layer of the viewer. */
export interface ShownLayer {
  name: string;
  type: string;
  /** The selected segments. */
  segments?: string[];
  /** The annotations that are in the state, as the viewer writes them. */
  annotations?: ShownAnnotation[];
}

/** An annotation, and where the viewer draws it. */
export interface ShownAnnotation {
  id: string;
  type: string;
  description?: string;
  segments?: string[][];
  props?: unknown[];
  /** x, y and z in nanometres of each of its places: pointA and pointB of a box, the centre of an ellipsoid. */
  places: number[][];
}

/** A viewer in a page. */
export class ViewerPage implements AsyncDisposable {
  readonly #page: Page;
  /** Errors of the page so far. */
  readonly problems: string[];
  /** The address of the viewer, for links. */
  readonly site: string;
  readonly #close: () => void;

  private constructor(page: Page, problems: string[], site: string, close: () => void) {
    this.#page = page;
    this.problems = problems;
    this.site = site;
    this.#close = close;
  }

  static async open(browser: OpenBrowser, python: string): Promise<ViewerPage> {
    const folder = installViewer(python);
    const server = createServer(({ url = '' }, response) => {
      const name = url.split(/[?#]/)[0].split('/').pop()!;
      if (url.startsWith('/events/'))
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': connected\n\n');
      else if (url.startsWith('/state/')) response.end('{"g":"1"}');
      else if (url.startsWith('/v/1/') && existsSync(join(folder, name || 'index.html')))
        response
          .writeHead(200, { 'content-type': TYPES[(name || 'a.html').split('.').pop()!] ?? 'text/plain' })
          .end(readFileSync(join(folder, name || 'index.html')));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { page, problems } = await browser.openPage({
        // Few pixels: they are drawn by the processor.
        viewport: { width: 360, height: 280 },
        ignore: /GPU stall|GL Driver Message|favicon/,
      }),
      site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v/1/`;
    await page.goto(`${site}#!{}`);
    await page.waitForFunction(() => 'viewer' in globalThis);
    return new ViewerPage(page, problems, site, () => {
      server.close();
      server.closeAllConnections();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#page.close();
    this.#close();
  }

  /**
   * Opens a link, as a user does.
   *
   * If it takes more than 400 ms to restore a state, which a cold start can on a busy machine, Neuroglancer 2.41
   * may write the state meanwhile, and drops a layer (UrlHashBinding.setUrlHash). So it is opened again.
   * @param layers How many layers its state has.
   */
  async open(link: string, layers: number): Promise<ShownState> {
    for (let tries = 4; ; tries--) {
      await this.#page.goto('about:blank');
      await this.#page.goto(link);
      try {
        return await this.#read(layers, tries > 1 ? 4_000 : TIMEOUT_MS);
      } catch (error) {
        if (tries === 1) throw error;
      }
    }
  }

  /** Shows another state in the open viewer. */
  async show(state: { layers?: unknown }): Promise<ShownState> {
    await this.#page.evaluate((json) => {
      const { viewer } = globalThis as unknown as { viewer: AnyViewer };
      viewer.state.reset();
      viewer.state.restoreState(JSON.parse(json));
    }, JSON.stringify(state));
    return this.#read(Object.keys(state.layers as object).length);
  }

  /** Moves to a place, in units of the viewer, and returns the segment that the layer shows there. */
  async segmentAt(layer: string, position: readonly number[]): Promise<string> {
    const handle = await this.#page.waitForFunction(
      ([name, place]) => {
        const { viewer } = globalThis as unknown as { viewer: AnyViewer };
        const at = Float32Array.from(place as number[]);
        if (at.some((value, k) => viewer.position.value[k] !== value)) viewer.position.value = at;
        const found = viewer.layerManager
          .getLayerByName(name)
          .layer.getValueAt(at, { pickedRenderLayer: null });
        if (found === undefined || found === null) return undefined;
        return String(found.value ?? found.key ?? found);
      },
      [layer, position] as const,
      { timeout: TIMEOUT_MS, polling: 50 },
    );
    return (await handle.jsonValue())!;
  }

  /** Takes a picture of the page. */
  screenshot(path: string): Promise<unknown> {
    return this.#page.screenshot({ path });
  }

  async #read(layers: number, timeout = TIMEOUT_MS): Promise<ShownState> {
    await this.#page.waitForFunction(
      (count) => {
        const { viewer } = globalThis as unknown as { viewer?: AnyViewer };
        const shown = viewer?.layerManager.managedLayers ?? [];
        return (
          shown.length === count &&
          shown.every(
            (layer) =>
              layer.isReady() &&
              layer.layer.dataSources.every((source: any) => source.loadState !== undefined),
          )
        );
      },
      layers,
      { timeout, polling: 20 },
    );
    return this.#page.evaluate(readShown);
  }
}

/** Runs in the page. */
function readShown(): ShownState {
  const { viewer } = globalThis as unknown as { viewer: AnyViewer };
  const errors: string[] = [],
    plain = (value: unknown): any =>
      JSON.parse(
        JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ??
          'null',
      );
  const space = viewer.coordinateSpace.value;
  const layers = viewer.layerManager.managedLayers.map((managed): ShownLayer => {
    const { layer, name } = managed;
    for (const source of layer.dataSources) {
      if (source.loadState?.error) errors.push(`${name}: ${source.loadState.error.message}`);
      for (const { message } of source.messages?.messages ?? []) errors.push(`${name}: ${message}`);
    }
    const shader = layer.annotationDisplayState?.shaderError?.value;
    if (shader) errors.push(`${name}: shader: ${String(shader.message ?? shader)}`);
    const visible = layer.displayState?.segmentationGroupState?.value?.visibleSegments;
    const state = layer.localAnnotations
      ? layer.annotationStates.states.find((one: any) => one.source === layer.localAnnotations)
      : undefined;
    let annotations: ShownAnnotation[] | undefined;
    if (state) {
      const {
        modelToRenderLayerTransform: matrix,
        globalToRenderLayerDimensions: dimensions,
        rank,
        error,
      } = state.transform.value;
      if (error !== undefined) errors.push(`${name}: ${error}`);
      const place = (point: number[]): number[] =>
        ['x', 'y', 'z'].map((axis) => {
          const global = space.names.indexOf(axis),
            row = dimensions[global];
          let value = matrix[(rank + 1) * rank + row];
          point.forEach((part, k) => (value += matrix[(rank + 1) * k + row] * part));
          return value * space.scales[global] * 1e9;
        });
      annotations =
        error === undefined
          ? plain(layer.localAnnotations.toJSON()).map(
              ({ point, pointA, pointB, center, points, ...rest }: any) => ({
                ...rest,
                places: (points ?? [point, pointA, pointB, center].filter((one) => one !== undefined)).map(
                  place,
                ),
              }),
            )
          : [];
    }
    return {
      name,
      type: layer.type,
      ...(visible && { segments: [...visible].map(String) }),
      ...(annotations && { annotations }),
    };
  });
  return { json: plain(viewer.state.toJSON()), layers, errors };
}
