/**
 * Decoders of packages that Emscripten built. Such a decoder loses memory whenever it fails, so it is made anew after
 * some failures. Making one is synchronous: only its file is read and compiled beforehand.
 */
import { packageFileUrl, readPackageFile } from '../../compression/image-platform.ts';

/** What this file uses of WebAssembly, whose types belong to browsers. */
interface WasmModule {
  readonly isCompiled?: never;
}
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow: (pages: number) => number;
}
interface WasmInstance {
  readonly exports: object;
}
declare const WebAssembly: {
  compile: (bytes: Uint8Array) => Promise<WasmModule>;
  Instance: new (module: WasmModule, imports: object) => WasmInstance;
  Memory: abstract new () => WasmMemory;
};

/** The options of an Emscripten module; it adds its functions to the same object. */
interface EmscriptenOptions {
  print: (text: string) => void;
  printErr: (text: string) => void;
  instantiateWasm: (
    imports: object,
    onInstance: (instance: WasmInstance, module: WasmModule) => void,
  ) => object;
}
type EmscriptenFactory = (options: EmscriptenOptions) => Promise<unknown>;

/** The files of a decoder. */
export interface WasmFiles {
  /** As for an import: `PACKAGE/PATH`. */
  wasm: string;
  /** The same, or `./FILE` in the folder of the other file, which a package need not export. */
  script: string;
}

/** A decoder is made anew after this many failures: each may lose some 100 kB. */
const MAX_FAILURES = 32;
/** A decoder with more memory than this is not kept: WebAssembly memory never shrinks. */
const KEPT_BYTES = 128 * 2 ** 20;
/** What a decoder may take beside what it takes per pixel. */
const BASE_BYTES = 64 * 2 ** 20;
/** What a decoder may take per value. libjxl takes less than 20 for a grey pixel, libjpeg-turbo 2. */
const BYTES_PER_VALUE = 100;
const PAGE_BYTES = 2 ** 16;

/** Keeps one instance of a decoder. */
export class WasmDecoder<Functions extends { HEAPU8: Uint8Array }> {
  readonly #files: WasmFiles;
  /** Called around everything that runs code of the package. */
  readonly #guard: <T>(act: () => T) => T;
  #loading: Promise<void> | undefined;
  #create: (() => Functions) | undefined;
  #instance: Functions | undefined;
  #failures = 0;
  /** The memory that the instance may take for the image at hand. */
  #maxBytes = BASE_BYTES;

  constructor(files: WasmFiles, guard: <T>(act: () => T) => T = (act) => act()) {
    this.#files = files;
    this.#guard = guard;
  }

  /** Imports the package and compiles its decoder, once. */
  load(): Promise<void> {
    return (this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    }));
  }

  async #load(): Promise<void> {
    const { script, wasm } = this.#files;
    const [imported, bytes] = await Promise.all([
      import(script.startsWith('./') ? new URL(script, packageFileUrl(wasm)).href : script) as Promise<{
        default: EmscriptenFactory;
      }>,
      readPackageFile(wasm),
    ]);
    const module = await WebAssembly.compile(bytes);
    this.#create = () => {
      const options: EmscriptenOptions = {
        print: () => undefined,
        printErr: () => undefined,
        instantiateWasm: (imports, onInstance) => {
          const instance = new WebAssembly.Instance(module, imports);
          this.#limitMemory(instance);
          onInstance(instance, module);
          return instance.exports;
        },
      };
      // The functions are there at once, because nothing is waited for; the promise says the same later.
      this.#guard(() => imported.default(options)).catch(() => undefined);
      return options as unknown as Functions;
    };
  }

  /** Makes the memory of an instance end at `#maxBytes`: for the decoder, there is then no more. */
  #limitMemory({ exports }: WasmInstance): void {
    for (const memory of Object.values(exports) as unknown[]) {
      if (!(memory instanceof WebAssembly.Memory)) continue;
      const grow = memory.grow.bind(memory);
      memory.grow = (pages) => {
        if (memory.buffer.byteLength + pages * PAGE_BYTES > this.#maxBytes)
          throw new RangeError('the decoder wants more memory than an image of this size needs');
        return grow(pages);
      };
    }
  }

  /**
   * Calls the decoder.
   * @param values The values of the image, which bound the memory that the decoder may take.
   * @param decode Must not return a view of the decoder's memory, which may be given up.
   * @throws What `decode` throws.
   */
  run<T>(values: number, decode: (functions: Functions) => T): T {
    this.#maxBytes = BASE_BYTES + BYTES_PER_VALUE * values;
    if (!this.#create) throw new TypeError('the decoder is used before it is loaded');
    const instance = (this.#instance ??= this.#create());
    try {
      const result = this.#guard(() => decode(instance));
      if (instance.HEAPU8.length > KEPT_BYTES) this.#instance = undefined;
      return result;
    } catch (error) {
      // Anything but an exception of C++, which is a number, leaves the instance in an unknown state.
      if (typeof error !== 'number' || ++this.#failures >= MAX_FAILURES) {
        this.#instance = undefined;
        this.#failures = 0;
      }
      throw error;
    }
  }
}
