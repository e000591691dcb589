import Module from 'node:module';
import { EventEmitter } from 'node:events';
const functions = new Map<string, any>(); let pm: any;
const orig = Module.prototype.require;
Module.prototype.require = function (this: any, id: string) { return id === '@azure/functions-core' ? { setProgrammingModel: (m: any) => { pm = m; }, registerFunction: (m: any, h: any) => { functions.set(m.name, { m, h }); }, registerHook() {}, log() {}, getProgrammingModel: () => pm } : orig.call(this, id); } as any;
export async function miniWorker(): Promise<any> {
  const defs = new Map([...functions].map(([name, { m }]) => { const t = Object.values<any>(m.bindings).find((b) => /trigger$/i.test(b.type)); return [name, { name, bindings: m.bindings, trigger: t }]; }));
  return { functions: defs, find: (n: string) => defs.get(n) ?? [...defs.values()].find((d) => d.name.toLowerCase() === n.toLowerCase()),
    async invoke(req: any) {
      const { m, h } = functions.get(req.functionName);
      const ctx: any = { invocationId: 'x', metadata: m, state: undefined, request: { invocationId: 'x', functionId: m.name, inputData: Object.entries(req.inputData).map(([name, data]) => ({ name, data })), triggerMetadata: req.triggerMetadata ?? {}, traceContext: {} }, log() {} };
      try { const model = pm.getInvocationModel(ctx); const { context, inputs } = await model.getArguments(); if (req.triggerValue !== undefined) inputs[0] = req.triggerValue;
        const result = await model.invokeFunction(context, inputs, h); const r = await model.getResponse(context, result); return { ok: true, result, returnValue: r.returnValue, outputData: {} }; }
      catch (e: any) { return { ok: false, error: e, message: e.message, stackTrace: e.stack }; }
    } };
}
void EventEmitter;
