import { randomBytes } from 'node:crypto';

/**
 * A place in a trace, in the form in which it is sent to other processes: the two headers of
 * https://www.w3.org/TR/trace-context/.
 */
export interface TraceContext {
  traceParent: string;
  traceState: string | null;
}

/** The trace context in the worker's protocol. The texts are empty when there is no trace. */
export interface RpcTraceContext {
  traceParent: string;
  traceState: string;
  attributes: Record<string, string>;
}

const TRACE_PARENT = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;

/** Reads the headers of a request. @returns undefined without a valid `traceparent` */
export function readTraceContext(headers: Readonly<Record<string, string>>): TraceContext | undefined {
  const traceParent = headers['traceparent'] ?? '';
  return TRACE_PARENT.test(traceParent)
    ? { traceParent, traceState: headers['tracestate'] || null }
    : undefined;
}

export function rpcTraceContext(context: TraceContext | undefined): RpcTraceContext {
  return { traceParent: context?.traceParent ?? '', traceState: context?.traceState ?? '', attributes: {} };
}

/** A child of `parent`, or the root of a new trace. */
export function childOf(parent: TraceContext | undefined, spanId = newSpanId()): TraceContext {
  const [, traceId = randomBytes(16).toString('hex'), , flags = '01'] =
    TRACE_PARENT.exec(parent?.traceParent ?? '') ?? [];
  return { traceParent: `00-${traceId}-${spanId}-${flags}`, traceState: parent?.traceState ?? null };
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

export function traceIdOf({ traceParent }: TraceContext): string {
  return traceParent.slice(3, 35);
}

export function spanIdOf({ traceParent }: TraceContext): string {
  return traceParent.slice(36, 52);
}
