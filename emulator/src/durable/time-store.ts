/** Keeps how far a hub's time is ahead of the machine's clock, in milliseconds, because time was skipped in it. */
export interface TimeStore {
  /** 0 for a hub in which no time was skipped. */
  read(): Promise<number>;
  /** Durable when it resolves. */
  write(ahead: number): Promise<void>;
}

/** A store in memory. */
export class MemoryTimeStore implements TimeStore {
  #ahead: number;

  constructor(ahead = 0) {
    this.#ahead = ahead;
  }

  async read(): Promise<number> {
    return this.#ahead;
  }

  async write(ahead: number): Promise<void> {
    this.#ahead = ahead;
  }
}
