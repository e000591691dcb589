/**
 * The requests of the SDK's client to its host, without a socket and without axios: they are a quarter of what the
 * process of an app does for a chain of activities. The host answers them as those that come to its port.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hasSubscribers } from 'node:diagnostics_channel';
import { http } from '../node-http.js';
import { deferred } from './deferred.js';

export interface ClientRequest {
  method: string;
  /** Absolute. */
  url: string;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string | undefined;
}

export interface ClientResponse {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string;
}

/** Answers a request. @returns undefined when the host serves no more: then its port answers, or nobody */
export type AnswerClient = (request: ClientRequest) => Promise<ClientResponse | undefined>;

/** What the SDK's client uses of axios. */
interface Axios {
  create(config: AxiosConfig): AxiosInstance;
}
interface AxiosConfig {
  headers?: Record<string, Record<string, string> | undefined>;
}
interface AxiosInstance {
  get(url: string, config?: RequestConfig): Promise<AxiosResponse>;
  delete(url: string, config?: RequestConfig): Promise<AxiosResponse>;
  post(url: string, data?: string, config?: RequestConfig): Promise<AxiosResponse>;
}
interface RequestConfig {
  headers?: Record<string, string>;
}
interface AxiosResponse {
  status: number;
  headers: Record<string, string>;
  data: unknown;
}

/** The hosts of this process, by the address that their clients call. */
const hosts = new Map<string, AnswerClient>();

/** Those of Node. A library that watches or replaces requests, such as OpenTelemetry's, puts its own in their place. */
const own = { request: http.request, ClientRequest: http.ClientRequest };

/** Has the requests to an address that begins with `address` answered here. @returns a function that ends it */
export function answerClients(address: string, answer: AnswerClient): () => void {
  // The host works outside of the invocation that called it.
  const outside = AsyncLocalStorage.snapshot();
  hosts.set(address, (request) => outside(answer, request));
  return () => hosts.delete(address);
}

/** Stands for axios in the modules of the SDK's client. @param load loads axios */
export function axiosOfClients(load: () => unknown): unknown {
  const module = deferred(load) as { default: Axios };
  const create = (config: AxiosConfig): unknown => instance(config, () => module.default.create(config));
  return inPlaceOf(() => module, { default: inPlaceOf(() => module.default, { create }) });
}

function instance(config: AxiosConfig, make: () => AxiosInstance): unknown {
  let made: AxiosInstance | undefined;
  const real = (): AxiosInstance => (made ??= make());
  const send = async (
    method: 'get' | 'delete' | 'post',
    url: string,
    body: string | undefined,
    headers: Record<string, string> | undefined,
  ): Promise<AxiosResponse | undefined> => {
    const answer = isWatched() ? undefined : answerTo(url);
    if (answer === undefined) return undefined;
    // axios leaves out the fragment.
    const address = new URL(url);
    address.hash = '';
    const response = await answer({
      method: method.toUpperCase(),
      url: address.href,
      headers: {
        accept: 'application/json, text/plain, */*',
        host: address.host,
        ...lowerCase(config.headers?.[method]),
        ...lowerCase(headers),
        ...(method === 'post' && { 'content-length': String(Buffer.byteLength(body ?? '')) }),
      },
      body,
    });
    return response && { ...response, data: parsed(response.body) };
  };
  const requests: AxiosInstance = {
    get: async (url, options) =>
      (await send('get', url, undefined, options?.headers)) ?? real().get(url, options),
    delete: async (url, options) =>
      (await send('delete', url, undefined, options?.headers)) ?? real().delete(url, options),
    post: async (url, data, options) =>
      (await send('post', url, jsonOf(data), options?.headers)) ?? real().post(url, data, options),
  };
  return inPlaceOf(real, requests);
}

/** An object that has some properties of its own, and the others of `whole`. */
function inPlaceOf(whole: () => object, properties: object): unknown {
  return new Proxy(properties, {
    get: (target, property) =>
      property in target
        ? (Reflect.get(target, property) as unknown)
        : (Reflect.get(whole(), property) as unknown),
  });
}

function answerTo(url: string): AnswerClient | undefined {
  for (const [address, answer] of hosts) if (url.startsWith(address)) return answer;
  return undefined;
}

/** Whether anything else wants to see the requests of this process. */
function isWatched(): boolean {
  return (
    http.request !== own.request ||
    http.ClientRequest !== own.ClientRequest ||
    hasSubscribers('http.client.request.start')
  );
}

/** The body as axios sends it to a content type of JSON: a text that is no JSON becomes a JSON string. */
function jsonOf(data: string | undefined): string | undefined {
  if (data === undefined) return undefined;
  try {
    JSON.parse(data);
    return data.trim();
  } catch {
    return JSON.stringify(data);
  }
}

/** The body as axios reads it: a text that is no JSON stays text. */
function parsed(body: string): unknown {
  try {
    return body === '' ? body : (JSON.parse(body) as unknown);
  } catch {
    return body;
  }
}

function lowerCase(headers: Record<string, string | undefined> = {}): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) result[name.toLowerCase()] = value;
  return result;
}
