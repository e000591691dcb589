/** Lets a limited number of tasks run at once; the others run in the order in which they came. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param limit how many tasks run at once; `Infinity` for any number */
  constructor(limit: number) {
    this.#free = limit;
  }

  /** Runs a task as soon as there is a place for it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn();
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** For a task that runs: gives its place to the task that waits longest, if there is one, and queues for another. */
  async yieldPlace(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const turn = this.#turn();
    this.#release();
    await turn;
  }

  async #turn(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** A free place goes directly to the next task, so that a task that comes in between does not overtake it. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** Maps items in parallel, at most `limit` at once. @returns the results in the order of the items */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const semaphore = new Semaphore(limit);
  return Promise.all(items.map((item, index) => semaphore.run(() => work(item, index))));
}
