import { randomUUID } from 'node:crypto';
import type { Body, HttpRequestLike, HttpResponseLike, RequestHead } from '../http-message.js';
import type { Log } from '../log.js';
import { readTraceContext } from '../tracing/trace-context.js';
import type { OpenSpan, Tracing } from '../tracing/tracing.js';
import type { AppWorker, FunctionDefinition, Worker } from '../worker/types.js';
import { routeTemplate } from './http-functions.js';
import type { RouteValues } from './http-routes.js';
import { forward, streamMetadata } from './http-stream.js';
import { empty, httpInput, httpOutput } from './http.js';
import { headerProblem, responseProblem } from './response-rules.js';

export interface HttpInvokerOptions {
  worker: Pick<Worker, 'invoke'>;
  routePrefix: string;
  /** The largest body in bytes. */
  bodyLimit: number;
  log: Log;
  /** Where the app serves its HTTP functions itself, when it asks for HTTP streams. */
  streamAddress: AppWorker['streamAddress'];
  tracing: Tracing | undefined;
}

/** Runs HTTP functions with the requests that reach them. */
export class HttpInvoker {
  readonly #options: HttpInvokerOptions;

  constructor(options: HttpInvokerOptions) {
    this.#options = options;
  }

  /** Whether functions read their requests and write their responses piece by piece. */
  get streams(): boolean {
    return this.#options.streamAddress !== undefined;
  }

  /** Runs a function with a request whose body has been read. */
  async invoke(
    definition: FunctionDefinition,
    request: HttpRequestLike,
    values: RouteValues,
  ): Promise<HttpResponseLike> {
    const { name, trigger } = definition;
    const span = this.#beginRequest(definition, request);
    const outcome = await this.#options.worker.invoke({
      functionName: name,
      inputData: { [trigger.name]: httpInput(this.#seen(name, request), values) },
      trace: span?.context,
    });
    const response = this.#sent(
      name,
      request.method,
      outcome.ok ? httpOutput(outcome.returnValue) : empty(500),
    );
    endRequest(span, response);
    return response;
  }

  /** The request as a function gets it: the real host does not read a body without a length. */
  #seen(name: string, request: HttpRequestLike): HttpRequestLike {
    const { headers, body, ...rest } = request;
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] === undefined) return request;
    if (body !== undefined && body.length > 0)
      this.#options.log(
        'error',
        'Host.General',
        `'${name}' gets a request without its body, as in production: the body came in chunks, and without a Content-Length. Send that header, or let the app read streams: app.setup({ enableHttpStream: true }).`,
      );
    return { ...rest, headers };
  }

  #sent(name: string, method: string, response: HttpResponseLike): HttpResponseLike {
    const problem = responseProblem(method, response);
    return problem === undefined ? response : this.#unsent(name, problem);
  }

  #unsent(name: string, problem: string): HttpResponseLike {
    this.#options.log('error', 'Host.General', `The response of '${name}' cannot be sent. ${problem}`);
    return empty(500);
  }

  /** Runs a function that reads its request and writes its response piece by piece. */
  async stream(
    definition: FunctionDefinition,
    request: HttpRequestLike<Body>,
    values: RouteValues,
  ): Promise<HttpResponseLike<Body>> {
    if (Number(request.headers['content-length'] ?? 0) > this.#options.bodyLimit) return empty(413);
    const { worker, streamAddress, log } = this.#options;
    const { name, trigger } = definition;
    const invocationId = randomUUID();
    const span = this.#beginRequest(definition, request);
    const { answer, abort } = forward(await streamAddress!(), invocationId, request);
    let hasAnswered = false;
    void answer.then(
      () => {
        hasAnswered = true;
      },
      () => {},
    );
    const invoked = worker.invoke({
      functionName: name,
      invocationId,
      inputData: { [trigger.name]: {} },
      triggerMetadata: streamMetadata(request, values),
      trace: span?.context,
    });
    const afterInvocation = invoked.then((outcome) => {
      if (outcome.ok && outcome.result !== null && outcome.result !== undefined) return answer;
      abort();
      if (!hasAnswered)
        log(
          'warning',
          'Host.General',
          `'${name}' ${outcome.ok ? 'returned nothing' : 'threw'}. With HTTP streams, production then sends no response, and the caller waits.`,
        );
      return empty(500);
    });
    let response = await Promise.race([answer, afterInvocation]);
    const problem = headerProblem(response.headers);
    if (problem !== undefined) {
      abort();
      response = this.#unsent(name, problem);
    }
    endRequest(span, response);
    return response;
  }

  /** Begins the span of a request, in the trace that its caller names. */
  #beginRequest(definition: FunctionDefinition, { method, headers }: RequestHead): OpenSpan | undefined {
    const { tracing, routePrefix } = this.#options;
    const route = `/${routeTemplate(definition, routePrefix)}`;
    return tracing?.begin({
      name: `${method} ${route}`,
      kind: 'server',
      scope: 'Microsoft.AspNetCore',
      parent: readTraceContext(headers),
      attributes: { 'http.request.method': method, 'http.route': route },
    });
  }
}

function endRequest(span: OpenSpan | undefined, { status }: HttpResponseLike<Body>): void {
  span?.end({ failed: status >= 500, attributes: { 'http.response.status_code': status } });
}
