/**
 * Codecs whose code is imported when a volume that needs it is opened, so that other volumes start sooner.
 */
import type { Codec } from './codec.ts';

/** Stands for a codec from the start. All but `encoding` and `load` are there after `load`. */
export class LazyCodec implements Codec {
  readonly encoding: string;
  readonly #importCodec: () => Promise<Codec>;
  #imported: Codec | undefined;

  constructor(encoding: string, importCodec: () => Promise<Codec>) {
    this.encoding = encoding;
    this.#importCodec = importCodec;
  }

  async load(): Promise<void> {
    this.#imported ??= await this.#importCodec();
    await this.#imported.load?.();
  }

  #get<Name extends keyof Codec>(name: Name): Codec[Name] {
    if (!this.#imported) throw new Error(`the codec of ${this.encoding} is used before it is loaded`);
    return this.#imported[name];
  }

  /** Undefined before `load`. */
  get packageName(): string | undefined {
    return this.#imported?.packageName;
  }

  /** Undefined before `load`. */
  get isPointwise(): boolean | undefined {
    return this.#imported?.isPointwise;
  }

  get dataTypes(): Codec['dataTypes'] {
    return this.#get('dataTypes');
  }

  get channels(): Codec['channels'] {
    return this.#get('channels');
  }

  get decodePoints(): Codec['decodePoints'] {
    return this.#get('decodePoints');
  }

  get createStreamDecoder(): Codec['createStreamDecoder'] {
    return this.#get('createStreamDecoder');
  }

  get wantedBytes(): Codec['wantedBytes'] {
    return this.#get('wantedBytes');
  }

  get toRaw(): Codec['toRaw'] {
    return this.#get('toRaw');
  }

  /** Undefined before `load`. */
  get holdsThreadMs(): Codec['holdsThreadMs'] {
    return this.#imported && this.#get('holdsThreadMs');
  }

  get maxBytes(): Codec['maxBytes'] {
    return this.#get('maxBytes');
  }

  get exactBytes(): Codec['exactBytes'] {
    return this.#get('exactBytes');
  }
}
