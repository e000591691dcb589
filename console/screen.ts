import type { Writable } from 'node:stream';
import { printable } from './printable.ts';

/** Dots on a line, before the next begins. */
const WIDTH = 60;

/** Where the story is printed: lines, and dots between them. */
export class Screen {
  readonly #story: Writable;
  readonly #asides: Writable;
  #dots = 0;

  /** @param asides takes what is not of the story */
  constructor(story: Writable, asides: Writable) {
    this.#story = story;
    this.#asides = asides;
  }

  /** Prints a line of the story. Resolves when it is out. */
  async line(text: string): Promise<void> {
    await this.#endDots();
    await write(this.#story, `${printable(text)}\n`);
  }

  /** Prints what is not of the story. */
  async aside(text: string): Promise<void> {
    await this.#endDots();
    await write(this.#asides, `${printable(text)}\n`);
  }

  /** Prints a sign of life. */
  async dot(): Promise<void> {
    if (this.#dots === WIDTH) await this.#endDots();
    this.#dots++;
    await write(this.#story, '.');
  }

  async #endDots(): Promise<void> {
    if (this.#dots === 0) return;
    this.#dots = 0;
    await write(this.#story, '\n');
  }
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
