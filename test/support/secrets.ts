import type { Log } from '../../emulator/src/log.js';
import type { TestApp } from '../../emulator/src/testing.js';

/** The account key of every Azurite. In Azure such a key opens a whole storage account. */
const ACCOUNT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
/** The token of a signed link. It begins at no other place of a long text, which would take too long to search. */
const TOKEN = /(?<![\w-])[\w-]{40,2000}\.[\w-]{43}(?![\w-])/g;
/** The answers that contain the system key on purpose: they have URLs of the management API. */
const WITH_SYSTEM_KEY = /^\/(runtime\/webhooks\/durabletask|api\/orchestrators)\//;
/** The answer that contains links on purpose. */
const WITH_LINKS = /^\/api\/outbox/;

/** Looks for keys and for tokens of links in all that an app logs and answers. */
export class SecretScan {
  readonly #found = new Set<string>();
  readonly #reading: Promise<void>[] = [];
  #keys: readonly string[] = [];
  #systemKey = '';

  /** The places where there was one, once all answers have been read. */
  async found(): Promise<string[]> {
    await Promise.all(this.#reading);
    return [...this.#found];
  }

  /** A log that is scanned, and passed on. */
  log(next?: Log): Log {
    return (level, category, message) => {
      this.#scan(`the log of ${category}`, message, [...this.#keys, this.#systemKey], tokensIn(message));
      next?.(level, category, message);
    };
  }

  /** Scans the answers of an app from now on. */
  watch(app: Pick<TestApp, 'keys' | 'request' | 'url'>): void {
    const { durableTask, functions, host, master } = app.keys;
    this.#keys = [host, master, ...Object.values(functions)];
    this.#systemKey = durableTask;
    const request = app.request.bind(app);
    app.request = async (method, pathOrUrl, options) => {
      const response = await request(method, pathOrUrl, options);
      this.#reading.push(this.#read(response.clone(), new URL(pathOrUrl, app.url), options?.body));
      return response;
    };
  }

  async #read(response: Response, url: URL, sent: unknown): Promise<void> {
    let text = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
    // An answer can end before it is whole: that is what some tests are about.
    text += await response.text().catch(() => '');
    const keys = WITH_SYSTEM_KEY.test(url.pathname) ? this.#keys : [...this.#keys, this.#systemKey];
    // Who sends a token may get it back.
    const own = tokensIn(`${url.search} ${JSON.stringify(sent)}`);
    const tokens = WITH_LINKS.test(url.pathname)
      ? []
      : tokensIn(text).filter((token) => !own.includes(token));
    this.#scan(`the answer of ${url.pathname}`, text, keys, tokens);
  }

  #scan(place: string, text: string, keys: readonly string[], tokens: readonly string[]): void {
    for (const key of [...keys, ACCOUNT_KEY])
      if (key !== '' && text.includes(key)) this.#found.add(`A key is in ${place}`);
    if (tokens.length > 0) this.#found.add(`The token of a link is in ${place}: ${tokens.join(' ')}`);
  }
}

function tokensIn(text: string): string[] {
  return text.match(TOKEN) ?? [];
}
