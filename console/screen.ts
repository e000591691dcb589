import type { Writable } from 'node:stream';
import { printable } from './printable.ts';

/** How many dots fit on a line. */
const WIDTH = 60;

/** Prints the story: lines, and dots between them. */
export class Screen {
  readonly #story: Writable;
  readonly #asides: Writable;
  #dots = 0;

  /** @param asides the stream for messages that are not part of the story */
  constructor(story: Writable, asides: Writable) {
    this.#story = story;
    this.#asides = asides;
  }

  /** Prints a line of the story. Resolves when it is written. */
  async line(text: string): Promise<void> {
    await this.#endDots();
    await write(this.#story, `${printable(text)}\n`);
  }

  /** Prints a message that is not part of the story. */
  async aside(text: string): Promise<void> {
    await this.#endDots();
    await write(this.#asides, `${printable(text)}\n`);
  }

  /** Prints a dot, to show that the program is running. */
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
