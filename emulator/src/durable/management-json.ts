/**
 * JSON as the extension reads it, with Newtonsoft.Json: more is accepted than the standard allows (single quotes, names
 * without quotes, commas at the end), less is nested, and what is wrong is said in its words.
 *
 * Values stay text. Parsing and writing them again would round large numbers and reorder keys that look like integers.
 */

/** What cannot be read. The message is Newtonsoft's, with path, line and position. */
export class JsonReaderError extends Error {
  override name = 'JsonReaderError';
}

/** Newtonsoft's default. */
const MAX_DEPTH = 64;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LAX_NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const IDENTIFIER_PART = /[\p{L}\p{Nd}_$]/u;
const PLAIN_NAME = /^[^.\s'/"[\]()\\\u0085]*$/;

/** Reads a whole text. @returns compact JSON. @throws JsonReaderError */
export function readJson(text: string): string {
  return new Reader(text).read(true);
}

/** Reads one value and does not look further, as a `JToken` is loaded. @returns compact JSON. @throws JsonReaderError */
export function readJsonValue(text: string): string {
  return new Reader(text).read(false);
}

/**
 * How a status shows a stored text: as the JSON it begins with, else as a string. @returns compact JSON.
 * (So the reason `5 minutes late` is shown as 5, in production too.)
 */
export function jsonOrText(stored: string | null): string {
  if (stored === null) return 'null';
  const text = stored.trim();
  if (text === '') return '""';
  try {
    return readJsonValue(text);
  } catch (error) {
    if (error instanceof JsonReaderError) return JSON.stringify(text);
    throw error;
  }
}

interface Container {
  kind: 'JObject' | 'JArray';
  /** The current property's name, as JSON text; before the first there is none. */
  name?: string;
  /** The last element: the one begun if it is a container, else the one read; -1 before the first. */
  index: number;
}

class Reader {
  readonly #text: string;
  readonly #out: string[] = [];
  readonly #containers: Container[] = [];
  #root: Container['kind'] = 'JObject';
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(whole: boolean): string {
    this.#skipSpace();
    if (this.#ended) this.#fail('Error reading JToken from JsonReader.');
    this.#value();
    if (whole) {
      this.#skipSpace();
      if (!this.#ended) this.#fail(`Additional text encountered after finished reading JSON content: ${this.#char}.`);
    }
    return this.#out.join('');
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  get #char(): string {
    return this.#text[this.#at] ?? '';
  }

  #value(): void {
    switch (this.#char) {
      case '{': return this.#container('JObject', '}', () => { this.#property(); });
      case '[': return this.#container('JArray', ']', (array) => { this.#element(array); });
      case '"': case "'": this.#out.push(this.#string()); return;
      case 't': return this.#literal('true', 'boolean');
      case 'f': return this.#literal('false', 'boolean');
      case 'n': return this.#text[this.#at + 1] === 'u' ? this.#literal('null', 'null') : this.#unexpected('value');
      default: return /[-.\d]/.test(this.#char) ? this.#number() : this.#unexpected('value');
    }
  }

  #container(kind: Container['kind'], end: string, member: (container: Container) => void): void {
    if (this.#containers.length === MAX_DEPTH) this.#fail(`The reader's MaxDepth of ${MAX_DEPTH} has been exceeded.`);
    if (this.#containers.length === 0) this.#root = kind;
    const container: Container = { kind, index: -1 };
    this.#containers.push(container);
    this.#out.push(this.#char);
    this.#at++;
    for (let separator = ''; ; separator = ',') {
      this.#skipToContent();
      if (this.#char === end) break;
      this.#out.push(separator);
      member(container);
      this.#skipToContent();
      if (this.#char === ',') this.#at++;
      else if (this.#char !== end) this.#fail(`After parsing a value an unexpected character was encountered: ${this.#char}.`);
    }
    this.#out.push(end);
    this.#at++;
    this.#containers.pop();
  }

  #element(array: Container): void {
    const nested = this.#char === '{' || this.#char === '[';
    if (nested) array.index++;
    this.#value();
    if (!nested) array.index++;
  }

  #property(): void {
    const container = this.#containers.at(-1)!;
    const quoted = this.#char === '"' || this.#char === "'";
    if (!quoted && !IDENTIFIER_PART.test(this.#char)) this.#fail(`Invalid property identifier character: ${this.#char}.`);
    container.name = quoted ? this.#string() : JSON.stringify(this.#identifier());
    this.#skipToContent();
    if (this.#char !== ':') this.#fail(`Invalid character after parsing property name. Expected ':' but got: ${this.#char}.`);
    this.#at++;
    this.#out.push(container.name, ':');
    this.#skipToContent();
    this.#value();
  }

  #identifier(): string {
    const start = this.#at;
    while (IDENTIFIER_PART.test(this.#char)) this.#at++;
    if (this.#ended) this.#fail('Unexpected end while parsing unquoted property name.');
    if (this.#char !== ':' && !isSpace(this.#char)) this.#fail(`Invalid JavaScript property identifier character: ${this.#char}.`);
    return this.#text.slice(start, this.#at);
  }

  /** @returns the string as JSON text. */
  #string(): string {
    const text = this.#text;
    const quote = this.#char;
    const start = this.#at++;
    const end = quote.charCodeAt(0);
    let plain = quote === '"';
    for (let code = text.charCodeAt(this.#at); !this.#ended && code !== end; code = text.charCodeAt(++this.#at)) {
      if (code === 0x5c) {
        this.#at++;
        if (this.#ended) break;
        if (this.#char === 'u') this.#unicodeEscape();
        else if (this.#char === "'") plain = false;
        else if (!'"\\/bfnrt'.includes(this.#char)) {
          const char = this.#char;
          this.#at++;
          this.#fail(`Bad JSON escape sequence: \\${char}.`);
        }
      } else if (code < 0x20) {
        plain = false;
      }
    }
    if (this.#ended) this.#fail(`Unterminated string. Expected delimiter: ${quote}.`);
    this.#at++;
    if (plain) return text.slice(start, this.#at);
    // oxlint-disable-next-line no-control-regex -- they are what has to be escaped
    const content = text.slice(start + 1, this.#at - 1).replaceAll(/\\'|\\[^]|["\u0000-\u001f]/g, (part) => {
      if (part === "\\'") return "'";
      return part.length === 2 ? part : JSON.stringify(part).slice(1, -1);
    });
    return `"${content}"`;
  }

  #unicodeEscape(): void {
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (digits.length < 4) {
      this.#at = this.#text.length;
      this.#fail('Unexpected end while parsing Unicode escape sequence.');
    }
    if (!/^[\da-f]{4}$/i.test(digits)) {
      this.#at++;
      this.#fail(`Invalid Unicode escape sequence: \\u${digits}.`);
    }
    this.#at += 4;
  }

  #literal(literal: string, kind: string): void {
    for (const char of literal) {
      if (this.#char !== char) this.#fail(`Error parsing ${kind} value.`);
      this.#at++;
    }
    if (!this.#ended && !isSpace(this.#char) && !',]}'.includes(this.#char)) this.#fail(`Error parsing ${kind} value.`);
    this.#out.push(literal);
  }

  #number(): void {
    const start = this.#at;
    while (/[-+.\dA-Fa-fXx]/.test(this.#char)) this.#at++;
    if (!this.#ended && !isSpace(this.#char) && !',]}'.includes(this.#char)) this.#unexpected('number');
    const text = this.#text.slice(start, this.#at);
    if (NUMBER.test(text)) this.#out.push(text);
    else if (/^0x[\da-f]+$/i.test(text)) this.#out.push(BigInt(text).toString());
    else if (/^0[0-7]+$/.test(text)) this.#out.push(BigInt(`0o${text}`).toString());
    else if (LAX_NUMBER.test(text)) this.#out.push(String(Number(text)));
    else this.#fail(`Input string '${text}' is not a valid number.`);
  }

  #skipSpace(): void {
    while (isSpace(this.#char)) this.#at++;
  }

  #skipToContent(): void {
    this.#skipSpace();
    if (this.#ended) this.#fail(`Unexpected end of content while loading ${this.#root}.`);
  }

  #unexpected(parsing: 'value' | 'number'): never {
    this.#fail(`Unexpected character encountered while parsing ${parsing}: ${this.#char}.`);
  }

  #fail(message: string): never {
    const before = this.#text.slice(0, this.#at).split(/\r\n|\r|\n/);
    const position = before.at(-1)!.length;
    // Before anything was read Newtonsoft counts from zero.
    const line = position === 0 && this.#containers.length === 0 && this.#out.length === 0 ? 0 : before.length;
    throw new JsonReaderError(`${message} Path '${this.#path()}', line ${line}, position ${position}.`);
  }

  #path(): string {
    let path = '';
    for (const { name, index } of this.#containers) {
      if (index >= 0) {
        path += `[${index}]`;
      } else if (name !== undefined) {
        const property = String(JSON.parse(name));
        if (!PLAIN_NAME.test(property)) path += `['${property.replaceAll("'", "\\'")}']`;
        else path += path === '' ? property : `.${property}`;
      }
    }
    return path;
  }
}

function isSpace(char: string): boolean {
  return char !== '' && /\s/.test(char);
}
