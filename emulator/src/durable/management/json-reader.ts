/**
 * JSON as the extension reads it, with Newtonsoft.Json. It accepts more than the standard (single quotes,
 * names without quotes, a comma at the end) but less nesting, and errors have its texts. Numbers are those of
 * the standard.
 *
 * Values stay text. `JSON.parse` and `JSON.stringify` would round large numbers and reorder keys that look
 * like integers.
 */

/** A text that is no JSON. The message is Newtonsoft's, with path, line and position. */
export class JsonReaderError extends Error {
  override name = 'JsonReaderError';
}

/** How many objects and arrays may contain one another: Newtonsoft's default. */
const MAX_DEPTH = 64;

const BACKSLASH = 0x5c;
const NUMBER_CHARACTERS = /[-+.\dA-Fa-fXx]*/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const IDENTIFIER_PART = /[\p{L}\p{Nd}_$]/u;
const PLAIN_NAME = /^[^.\s'/"[\]()\\\u0085]*$/;

type ContainerKind = 'JObject' | 'JArray';

/** An object or array that is being read, for the paths in messages. */
interface Container {
  /** The position of the current property's name; undefined before the first. */
  name?: { start: number; end: number };
  /**
   * The number of the current element; -1 before the first. A number or string becomes current when it was
   * read.
   */
  index: number;
}

/** Reads a text once and copies it, in long pieces where nothing in it has to change. */
export class JsonReader {
  readonly #text: string;
  readonly #out: string[] = [];
  readonly #containers: Container[] = [];
  #root: ContainerKind = 'JObject';
  #at = 0;
  /** The text between here and `#at` has to be copied. */
  #run = 0;
  #finished = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(whole: boolean): string {
    this.#skipSpace();
    if (this.#ended) this.#fail('Error reading JToken from JsonReader.');
    this.#value();
    this.#finished = true;
    this.#cut(this.#endOfSpace(this.#at));
    if (whole && !this.#ended)
      this.#fail(`Additional text encountered after finished reading JSON content: ${this.#char}.`);
    return this.#out.join('');
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  get #char(): string {
    return this.#text[this.#at] ?? '';
  }

  /** Continues at `to`, and leaves out the text before it. */
  #cut(to: number): void {
    this.#out.push(this.#text.slice(this.#run, this.#at));
    this.#at = to;
    this.#run = to;
  }

  /** Replaces the text from `start` to the current position. */
  #replace(start: number, json: string): void {
    this.#out.push(this.#text.slice(this.#run, start), json);
    this.#run = this.#at;
  }

  #value(): void {
    switch (this.#char) {
      case '{':
        return this.#container('JObject', '}', (object) => {
          this.#property(object);
        });
      case '[':
        return this.#container('JArray', ']', (array) => {
          this.#element(array);
        });
      case '"':
      case "'":
        return this.#string();
      case 't':
        return this.#literal('true', 'boolean');
      case 'f':
        return this.#literal('false', 'boolean');
      case 'N':
        return this.#name('NaN');
      case 'I':
        return this.#name('Infinity');
      case 'n':
        return this.#text[this.#at + 1] === 'u' ? this.#literal('null', 'null') : this.#unexpected('value');
      default:
        if (this.#text.startsWith('-I', this.#at)) return this.#name('-Infinity');
        return '-.0123456789'.includes(this.#char) ? this.#number() : this.#unexpected('value');
    }
  }

  #container(kind: ContainerKind, end: string, member: (container: Container) => void): void {
    this.#at++;
    if (this.#containers.length === MAX_DEPTH)
      this.#fail(`The reader's MaxDepth of ${MAX_DEPTH} has been exceeded.`);
    if (this.#containers.length === 0) this.#root = kind;
    const container: Container = { index: -1 };
    this.#containers.push(container);
    this.#skipSpace();
    if (this.#ended && this.#containers.length === 1) this.#fail(`Error reading ${kind} from JsonReader.`);
    this.#skipToContent();
    while (this.#char !== end) {
      member(container);
      this.#skipToContent();
      if (this.#char === ',') {
        const next = this.#endOfSpace(this.#at + 1);
        if (this.#text[next] === end) this.#cut(next);
        else this.#at++;
        this.#skipToContent();
      } else if (this.#char !== end) {
        this.#fail(`After parsing a value an unexpected character was encountered: ${this.#char}.`);
      }
    }
    this.#at++;
    this.#containers.pop();
  }

  #element(array: Container): void {
    const nested = this.#char === '{' || this.#char === '[';
    if (nested) array.index++;
    this.#value();
    if (!nested) array.index++;
  }

  #property(object: Container): void {
    const start = this.#at;
    if (this.#char === '"' || this.#char === "'") this.#string();
    else this.#identifier();
    object.name = { start, end: this.#at };
    this.#skipToContent();
    if (this.#char !== ':')
      this.#fail(`Invalid character after parsing property name. Expected ':' but got: ${this.#char}.`);
    this.#at++;
    this.#skipToContent();
    this.#value();
  }

  #identifier(): void {
    if (!IDENTIFIER_PART.test(this.#char))
      this.#fail(`Invalid property identifier character: ${this.#char}.`);
    const start = this.#at;
    while (IDENTIFIER_PART.test(this.#char)) this.#at++;
    if (this.#ended) this.#fail('Unexpected end while parsing unquoted property name.');
    if (this.#char !== ':' && !isSpace(this.#char))
      this.#fail(`Invalid JavaScript property identifier character: ${this.#char}.`);
    this.#replace(start, JSON.stringify(this.#text.slice(start, this.#at)));
  }

  #string(): void {
    const text = this.#text;
    const quote = this.#char;
    const start = this.#at++;
    const end = quote.charCodeAt(0);
    let plain = quote === '"';
    for (
      let code = text.charCodeAt(this.#at);
      !this.#ended && code !== end;
      code = text.charCodeAt(++this.#at)
    ) {
      if (code === BACKSLASH) {
        this.#at++;
        if (this.#char === "'") plain = false;
        else this.#escape();
      } else if (code < 0x20) {
        plain = false;
      }
    }
    if (this.#ended) this.#fail(`Unterminated string. Expected delimiter: ${quote}.`);
    this.#at++;
    if (!plain) this.#replace(start, standardString(text.slice(start, this.#at)));
  }

  #escape(): void {
    const char = this.#char;
    if (char === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      this.#at++;
      if (digits.length < 4) this.#fail('Unexpected end while parsing Unicode escape sequence.');
      if (!/^[\da-f]{4}$/i.test(digits)) this.#fail(`Invalid Unicode escape sequence: \\u${digits}.`);
      this.#at += 3;
    } else if (!'"\\/bfnrt'.includes(char)) {
      this.#at++;
      this.#fail(`Bad JSON escape sequence: \\${char}.`);
    }
  }

  #literal(literal: string, kind: string): void {
    for (const char of literal) {
      if (this.#char !== char) this.#fail(`Error parsing ${kind} value.`);
      this.#at++;
    }
    if (!this.#atSeparator) this.#fail(`Error parsing ${kind} value.`);
  }

  /** A number that JSON does not have becomes a text. */
  #name(name: string): void {
    const start = this.#at;
    this.#literal(name, 'number');
    this.#replace(start, JSON.stringify(name));
  }

  #number(): void {
    const start = this.#at;
    NUMBER_CHARACTERS.lastIndex = start;
    this.#at += NUMBER_CHARACTERS.exec(this.#text)![0].length;
    if (!this.#atSeparator) this.#unexpected('number');
    const text = this.#text.slice(start, this.#at);
    if (!NUMBER.test(text)) this.#fail(`Input string '${text}' is not a valid number.`);
  }

  get #atSeparator(): boolean {
    return this.#ended || ',]}'.includes(this.#char) || isSpace(this.#char);
  }

  #endOfSpace(from: number): number {
    let end = from;
    while (isSpace(this.#text[end] ?? '')) end++;
    return end;
  }

  #skipSpace(): void {
    const end = this.#endOfSpace(this.#at);
    if (end > this.#at) this.#cut(end);
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
    // Newtonsoft counts lines from zero until it has read something.
    const line = position === 0 && this.#containers.length === 0 && !this.#finished ? 0 : before.length;
    throw new JsonReaderError(`${message} Path '${this.#path()}', line ${line}, position ${position}.`);
  }

  #path(): string {
    let path = '';
    for (const { name, index } of this.#containers) {
      if (index >= 0) path += `[${index}]`;
      if (name === undefined) continue;
      const token = this.#text.slice(name.start, name.end);
      const property = /^["']/.test(token) ? String(JSON.parse(standardString(token))) : token;
      if (!PLAIN_NAME.test(property)) path += `['${property.replaceAll("'", "\\'")}']`;
      else path += path === '' ? property : `.${property}`;
    }
    return path;
  }
}

/** A string in either quotes, with control characters as they are, as standard JSON. */
function standardString(token: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters have to be escaped
  const content = token.slice(1, -1).replaceAll(/\\'|\\[^]|["\u0000-\u001f]/g, (part) => {
    if (part === "\\'") return "'";
    return part.length === 2 ? part : JSON.stringify(part).slice(1, -1);
  });
  return `"${content}"`;
}

function isSpace(char: string): boolean {
  return char === ' ' || (char >= '\t' && char <= '\r') || (char > '\u007f' && /\s/.test(char));
}
