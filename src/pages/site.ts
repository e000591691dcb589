import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Problem } from '../http/index.js';

const encoding = z.enum(['br', 'gzip']);

const builtFile = z.object({
  /** Content-Type. */
  type: z.string(),
  /** Changes with the content: the entity tag. */
  hash: z.string(),
  /** The compressed forms beside it, `<path>.<encoding>`, the smallest first. */
  encodings: z.array(encoding),
});

/** A compression that the build may have applied to a file. */
export type Encoding = z.infer<typeof encoding>;

/** The entry of a built file in `files.json`. */
export type BuiltFile = z.infer<typeof builtFile>;

/** One form of a built file, ready to be sent. */
export interface Representation {
  type: string;
  etag: string;
  encoding: Encoding | undefined;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** 503: the pages have not been built. */
export class PagesNotBuilt extends Problem {
  constructor(folder: URL, cause: unknown) {
    super(503, 'pages-not-built', 'The pages are not built', { detail: 'Run "npm run build:web".' });
    this.cause = new Error(`There is no files.json in ${folder.href}`, { cause });
  }
}

/**
 * The files that `web/` was built to. It reads only files that `files.json` lists: a path from outside is
 * looked up, and never joined to a folder. Each form of a file is read from disk once.
 */
export class Site {
  readonly #folder: URL;
  readonly #files: Map<string, BuiltFile>;
  readonly #read = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  private constructor(folder: URL, files: Map<string, BuiltFile>) {
    this.#folder = folder;
    this.#files = files;
  }

  /**
   * @param folder ends in a slash
   * @throws PagesNotBuilt
   */
  static async open(folder: URL): Promise<Site> {
    const list = await readFile(new URL('files.json', folder), 'utf8').catch((cause: unknown) => {
      throw new PagesNotBuilt(folder, cause);
    });
    return new Site(folder, new Map(Object.entries(z.record(z.string(), builtFile).parse(JSON.parse(list)))));
  }

  /** All paths, such as `dungeon.markup` or `assets/dungeon-Bx2k.js`. */
  get paths(): string[] {
    return [...this.#files.keys()];
  }

  /**
   * @param accepts says whether the caller can read an encoding
   * @returns nothing when there is no such file
   */
  find(path: string, accepts: (encoding: Encoding) => boolean): Representation | undefined {
    const file = this.#files.get(path);
    if (!file) return undefined;
    const chosen = file.encodings.find(accepts);
    return {
      type: file.type,
      etag: `"${chosen ? `${file.hash}-${chosen}` : file.hash}"`,
      encoding: chosen,
      bytes: () => this.#bytes(chosen ? `${path}.${chosen}` : path),
    };
  }

  #bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    let bytes = this.#read.get(path);
    if (!bytes) {
      bytes = readFile(new URL(path, this.#folder)).then((buffer) => new Uint8Array(buffer));
      this.#read.set(path, bytes);
    }
    return bytes;
  }
}

/** The build of `web/`. The path is right from `src/pages/` and from `dist/pages/`. */
const built = new URL('../../dist/web/', import.meta.url);

let site: Promise<Site> | undefined;

/** The app's pages. @throws PagesNotBuilt */
export async function builtSite(): Promise<Site> {
  site ??= Site.open(built);
  try {
    return await site;
  } catch (error) {
    site = undefined; // The next request looks again.
    throw error;
  }
}
