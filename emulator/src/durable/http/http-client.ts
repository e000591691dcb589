/** Makes the requests of `callHttp` like the extension's `TaskHttpActivityShim` with .NET's `HttpClient`. */
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { http } from '../../node-http.js';
import { dotnetException } from '../protocol/dotnet-exception.js';
import type { ActivityResult } from '../protocol/functions.js';
import type { FailureDetails, JsonText } from '../history.js';
import { CREDENTIALS, without, type HttpAnswer, type HttpCall, type HttpHeaders } from './http-call.js';

/** @param send makes the request */
export async function runHttpActivity(
  input: JsonText,
  send: (call: HttpCall) => Promise<HttpAnswer>,
): Promise<ActivityResult> {
  const [call] = JSON.parse(input!) as [HttpCall];
  try {
    const { statusCode, headers, content } = await send(call);
    return { ok: true, result: JSON.stringify({ statusCode, headers, content }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof InvalidCallError)
      return {
        ok: false,
        reason,
        details: `Unhandled exception while executing task: ${error.type}: ${reason}`,
        failureDetails: failureDetails(error.type, reason),
      };
    return {
      ok: false,
      reason,
      details: dotnetException('System.Net.Http.HttpRequestException', 'System.Net.Http', reason, null),
      failureDetails: null,
    };
  }
}

function failureDetails(type: string, message: string): FailureDetails {
  return {
    ErrorType: type,
    ErrorMessage: message,
    StackTrace: '',
    InnerFailure: null,
    IsNonRetriable: false,
    Properties: null,
  };
}

/** .NET does not make such a request. The orchestrator gets a `TaskFailedError` with the exception's type. */
class InvalidCallError extends Error {
  override name = 'InvalidCallError';
  /** @param type the name of .NET's exception */
  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}
const FORMAT = 'System.FormatException';
const OPERATION = 'System.InvalidOperationException';

/** The settings of the extension's `HttpClient`, in milliseconds. */
const TIMEOUT = 240_000;
const USER_AGENT = 'Microsoft.Azure.WebJobs.Extensions.DurableTask/3.19.0';
const MOST_REDIRECTS = 50;

/** Makes a request like .NET's `HttpClient`, following redirects. @throws Error with .NET's text */
export async function sendHttp(call: HttpCall): Promise<HttpAnswer> {
  let { method, content } = call;
  let headers = await requestHeaders(call);
  if (!URL.canParse(call.uri))
    throw new InvalidCallError(
      OPERATION,
      'An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must be set.',
    );
  let url = canonical(new URL(call.uri));
  if (!/^https?:$/.test(url.protocol))
    throw new InvalidCallError(
      'System.NotSupportedException',
      `The '${url.protocol.slice(0, -1)}' scheme is not supported.`,
    );
  for (let redirects = 0; ; redirects++) {
    const response = await request(url, method, headers, content);
    const status = response.statusCode!;
    const { location } = response.headers;
    const next =
      location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (
      ![300, 301, 302, 303, 307, 308].includes(status) ||
      next === undefined ||
      redirects === MOST_REDIRECTS ||
      (url.protocol === 'https:' && next.protocol === 'http:') ||
      !/^https?:$/.test(next.protocol)
    ) {
      return { statusCode: status, headers: answerHeaders(response), content: await body(response) };
    }
    response.resume();
    if (status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST') {
      [method, content] = ['GET', null];
      headers = without(headers, new Set(['content-type']));
    }
    // .NET removes Authorization at every redirect.
    headers = without(headers, next.origin === url.origin ? new Set(['authorization']) : CREDENTIALS);
    url = canonical(next);
  }
}

/** .NET sends no credentials of a URL, and decodes what needs no encoding. */
function canonical(url: URL): URL {
  const decoded = new URL(
    url.href.replace(/%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/gi, (code) => decodeURIComponent(code)),
  );
  decoded.username = '';
  decoded.password = '';
  return decoded;
}

/** Headers that .NET allows for content only. */
const CONTENT_HEADER = /^(allow|content-.*|expires|last-modified)$/i;
const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;
/** What .NET takes for a media type: without parameters, also without a charset. */
const MEDIA_TYPE = /^[!#$%&'*+.^`|~\w-]+\/[!#$%&'*+.^`|~\w-]+$/;

async function requestHeaders({ headers, content, tokenSource }: HttpCall): Promise<HttpHeaders> {
  const sent: HttpHeaders = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent')
    ? {}
    : { 'User-Agent': USER_AGENT };
  let type = 'text/plain';
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'content-type') {
      type = [value].flat().at(-1) || type;
      if (type.includes('multipart'))
        throw new InvalidCallError(
          'Microsoft.Azure.WebJobs.Extensions.DurableTask.FunctionFailedException',
          'Multipart content is not supported with CallHttpAsync.',
        );
    } else if (CONTENT_HEADER.test(name)) {
      throw new InvalidCallError(
        OPERATION,
        `Misused header name, '${name}'. Make sure request headers are used with HttpRequestMessage, response headers with HttpResponseMessage, ` +
          'and content headers with HttpContent objects.',
      );
    } else {
      checkHeader(name, value);
      sent[name] = value;
    }
  }
  if (content !== null && !MEDIA_TYPE.test(type))
    throw new InvalidCallError(FORMAT, `The format of value '${type}' is invalid.`);
  if (content !== null)
    sent['Content-Type'] =
      type.toLowerCase() === 'application/x-www-form-urlencoded' ? `${type}; charset=utf-8` : type;
  return tokenSource === null
    ? sent
    : { ...without(sent, new Set(['authorization'])), Authorization: `Bearer ${await token(tokenSource)}` };
}

/** @throws InvalidCallError */
function checkHeader(name: string, value: string | string[]): void {
  if (name === '')
    throw new InvalidCallError(
      'System.ArgumentException',
      "The value cannot be an empty string. (Parameter 'name')",
    );
  if (!TOKEN.test(name))
    throw new InvalidCallError(FORMAT, `The header name '${name}' has an invalid format.`);
  const text = [value].flat().join();
  if (/[\r\n\0]/.test(text))
    throw new InvalidCallError(FORMAT, 'New-line or NUL characters are not allowed in header values.');
  if (/[^\0-\x7f]/.test(text)) throw new Error('Request headers must contain only ASCII characters.');
}

async function token({ kind, resource }: { kind: string; resource: string }): Promise<string> {
  if (kind !== 'AzureManagedIdentity')
    throw new Error(`The token source kind '${JSON.stringify(kind)}' is not supported.`);
  const { DefaultAzureCredential } = await import('@azure/identity');
  return (await new DefaultAzureCredential().getToken(`${resource.replace(/\/$/, '')}/.default`)).token;
}

async function request(
  url: URL,
  method: string,
  headers: HttpHeaders,
  content: string | null,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const make = (url.protocol === 'https:' ? process.getBuiltinModule('node:https') : http).request;
    const signal = AbortSignal.timeout(TIMEOUT);
    const isChunked = Object.keys(headers).some((name) => name.toLowerCase() === 'transfer-encoding');
    const length = content === null || isChunked ? {} : { 'Content-Length': Buffer.byteLength(content) };
    const made = make(url, { method, headers: { ...headers, ...length }, signal }, resolve);
    made.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(failureText(error, url, signal.aborted)));
    });
    // .NET sends none. With "Expect", Node has sent the headers already.
    if (!made.headersSent) made.removeHeader('connection');
    made.end(content ?? undefined);
  });
}

function failureText(error: NodeJS.ErrnoException, url: URL, late: boolean): string {
  const address = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  if (late)
    return `The request was canceled due to the configured HttpClient.Timeout of ${TIMEOUT / 1000} seconds elapsing.`;
  if (error.code === 'ECONNREFUSED') return `Connection refused (${address})`;
  if (error.code === 'ENOTFOUND') return `Name or service not known (${address})`;
  return error.message || `An error occurred while sending the request. (${error.code ?? error.name})`;
}

async function body(response: IncomingMessage): Promise<string> {
  const charset = /charset="?([^\s;"]+)/i.exec(response.headers['content-type'] ?? '')?.[1];
  return new TextDecoder(charset).decode(await buffer(response));
}

/** The headers of the answer, with names as received. A name that occurs several times has several values. */
function answerHeaders({ rawHeaders }: IncomingMessage): HttpHeaders {
  const found = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index]!, rawHeaders[index + 1]!];
    if (CONTENT_HEADER.test(name)) continue;
    const entry = found.get(name.toLowerCase());
    if (entry === undefined) found.set(name.toLowerCase(), { name, values: [value] });
    else entry.values.push(value);
  }
  return Object.fromEntries(
    [...found.values()].map(({ name, values }) => [name, values.length === 1 ? values[0]! : values]),
  );
}
