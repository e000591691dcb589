/// <reference types="@kusto/language-service-next" />
/** Parses Kusto queries, as Log Analytics does, against the tables that they read. */
import { createRequire } from 'node:module';

// Scripts that make globals: the second one needs those of the first.
const require = createRequire(import.meta.url);
for (const script of ['bridge.min.js', 'Kusto.Language.Bridge.min.js'])
  require(`@kusto/language-service-next/${script}`);

/** Of every table of Application Insights. */
const COMMON =
  'TimeGenerated: datetime, AppRoleName: string, AppRoleInstance: string, AppVersion: string, OperationId: string, ' +
  'OperationName: string, ParentId: string, Properties: dynamic, ItemCount: int, SDKVersion: string, Type: string';

/** The columns that a query may use: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics and its neighbours */
const TABLES: Record<string, string> = {
  AppMetrics: 'Name: string, Sum: real, Min: real, Max: real',
  AppTraces: 'Message: string, SeverityLevel: int, Measurements: dynamic',
  AppExceptions:
    'ProblemId: string, ExceptionType: string, OuterType: string, OuterMessage: string, InnermostType: string, ' +
    'InnermostMessage: string, Details: dynamic, SeverityLevel: int, Measurements: dynamic',
  AppDependencies:
    'Id: string, Name: string, Target: string, DependencyType: string, Data: string, Success: bool, ResultCode: string, ' +
    'DurationMs: real, Measurements: dynamic',
};

const { Language } = Kusto;
const { Symbols } = Language;
const tables = Object.entries(TABLES).map(([name, columns]) =>
  Symbols.TableSymbol.From(`(${COMMON}, ${columns})`)!.WithName(name)!,
);
const workspace = new Symbols.DatabaseSymbol.ctor('workspace', tables);
const globals = Language.GlobalState.Default!.WithDatabase(workspace)!;

/** @returns what is wrong with a query, in the words of the language service */
export function errorsOf(query: string): string[] {
  let errors = known.get(query);
  if (errors === undefined) known.set(query, (errors = parse(query)));
  return errors;
}

/** Queries that were parsed before: most are the same in every snapshot. */
const known = new Map<string, string[]>();

function parse(query: string): string[] {
  // A workbook puts the width of a bar there.
  const code = Language.KustoCode.ParseAndAnalyze(query.replaceAll('{Range:grain}', '1h'), globals)!;
  const diagnostics = code.GetDiagnostics()!;
  return Array.from({ length: diagnostics.Count }, (_, i) => diagnostics.getItem(i).Message ?? '');
}
