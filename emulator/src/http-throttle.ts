import type { Body, HttpRequestLike, HttpResponseLike } from './http-message.js';
import type { Log } from './log.js';
import { Semaphore } from './parallel.js';
import { empty } from './triggers/http.js';

/** The limits of host.json, `extensions.http`. Infinity for no limit. */
export interface HttpLimits {
  /** `maxConcurrentRequests`: how many requests are answered at once. The others wait in the order in which they came. */
  concurrent: number;
  /** `maxOutstandingRequests`: how many requests are answered or wait. */
  outstanding: number;
}

/**
 * Limits the requests that a host works on, as the middleware of the Functions host does. A request beyond the
 * limit of outstanding requests is answered 429 at once, so that nothing is begun for it. All requests that were
 * taken are answered.
 */
export class HttpThrottle {
  readonly #limits: HttpLimits;
  readonly #log: Log;
  readonly #places: Semaphore;
  #outstanding = 0;
  #isFull = false;

  constructor(limits: HttpLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
    this.#places = new Semaphore(limits.concurrent);
  }

  async run(
    request: HttpRequestLike<Body>,
    answer: () => Promise<HttpResponseLike<Body>>,
  ): Promise<HttpResponseLike<Body>> {
    if (this.#outstanding >= this.#limits.outstanding) return this.#refuse();
    this.#outstanding++;
    try {
      return await this.#places.run(async () =>
        // A caller that has gone may have sent its request again. Work for the first one would delay the others.
        request.isAbandoned?.() === true ? empty(499) : answer(),
      );
    } finally {
      this.#outstanding--;
      if (this.#outstanding <= this.#limits.outstanding / 2) this.#isFull = false;
    }
  }

  #refuse(): HttpResponseLike {
    // One line for each time that the limit is reached, however many requests are refused.
    if (!this.#isFull)
      this.#log(
        'warning',
        'Host.HttpThrottleMiddleware',
        `Http request queue limit of ${this.#limits.outstanding} has been exceeded. Requests are answered 429 until others are done.`,
      );
    this.#isFull = true;
    return empty(429, [
      ['X-FUNCTION-SCALEOUT', '1'],
      ['Retry-After', '1'],
    ]);
  }
}
