/** Counts the tasks that run, so that a caller can wait until none of them does. */
export class RunningTasks {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Whether a task runs. */
  get any(): boolean {
    return this.#count > 0;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await task();
    } finally {
      if (--this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Resolves when no task runs. */
  async finished(): Promise<void> {
    while (this.#count > 0)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }
}
