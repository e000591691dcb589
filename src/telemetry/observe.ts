import {
  app,
  type InvocationContext,
  type PostInvocationContext,
  type PreInvocationContext,
} from '@azure/functions';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { errorAttributes, typeOf } from './error.js';
import { copyLog } from './log.js';
import type { Instruments } from './sdk.js';
import { workflows } from './workflows.js';
import type { State, Trigger } from './episode.js';

/** The event for a function that threw, or that answered with 5xx. */
const FAILED = 'function.failed';

/** Data about an invocation while it runs. */
interface Running {
  attributes: Attributes;
  context: Context;
  /**
   * Undefined for orchestrators: they run many times, and the host has one span for the whole orchestration.
   */
  span: Span | undefined;
}

/**
 * Attaches telemetry to all functions of the app. An invocation continues the trace that the host passes: the
 * caller's for HTTP, the orchestration's for an orchestrator, and for an activity the trace in which it was
 * scheduled.
 */
export function observe(instruments: Instruments): void {
  const { tracer, logger } = instruments;
  const tell = workflows(instruments);
  const running = new WeakMap<InvocationContext, Running>();

  app.hook.preInvocation((pre: PreInvocationContext) => {
    const { invocationContext: invocation } = pre;
    const attributes = attributesOf(invocation, pre.inputs);
    const { traceParent: traceparent, traceState: tracestate } = invocation.traceContext ?? {};
    const parent = propagation.extract(ROOT_CONTEXT, {
      ...(traceparent && { traceparent }),
      ...(tracestate && { tracestate }),
    });
    const span = isOrchestrator(invocation)
      ? undefined
      : tracer.startSpan(invocation.functionName, { attributes }, parent);
    const within = span === undefined ? parent : trace.setSpan(parent, span);
    running.set(invocation, { attributes, context: within, span });
    copyLog(invocation, logger, attributes);
    pre.functionHandler = context.bind(within, pre.functionHandler);
  });

  app.hook.postInvocation(
    ({ invocationContext: invocation, inputs, result, error }: PostInvocationContext) => {
      const found = running.get(invocation);
      if (found === undefined) return;
      const threw = error !== undefined && error !== null;
      if (found.span === undefined) {
        tell(
          invocation.functionName,
          inputs[0] as Trigger,
          threw ? undefined : (result as State),
          found.context,
        );
        return;
      }
      const status = (result as { status?: unknown } | undefined)?.status;
      if (typeof status === 'number') found.span.setAttribute('http.response.status_code', status);
      if (threw || (typeof status === 'number' && status >= 500)) {
        const why = threw ? errorAttributes(error, FAILED) : { 'error.type': String(status) };
        found.span
          .setStatus({ code: SpanStatusCode.ERROR })
          .setAttribute('error.type', threw ? typeOf(error) : String(status));
        // A workflow can retry an activity, so that is a warning. Other failures reach a caller.
        const severityNumber =
          triggerOf(invocation) === 'activityTrigger' ? SeverityNumber.WARN : SeverityNumber.ERROR;
        logger.emit({
          eventName: FAILED,
          body: FAILED,
          severityNumber,
          context: found.context,
          attributes: { ...found.attributes, ...why },
        });
      }
      found.span.end();
    },
  );
}

/** Ids and names of functions: no data about people. */
function attributesOf(invocation: InvocationContext, inputs: readonly unknown[]): Attributes {
  const instanceId = isOrchestrator(invocation)
    ? (inputs[0] as Trigger).instanceId
    : invocation.triggerMetadata?.['instanceId'];
  return {
    'faas.name': invocation.functionName,
    'faas.invocation_id': invocation.invocationId,
    // The host's own spans use this name.
    ...(typeof instanceId === 'string' && { 'durabletask.task.instance_id': instanceId }),
  };
}

function isOrchestrator(invocation: InvocationContext): boolean {
  return triggerOf(invocation) === 'orchestrationTrigger';
}

function triggerOf({ options }: InvocationContext): string {
  return options.trigger.type;
}
