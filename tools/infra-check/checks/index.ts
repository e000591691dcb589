import type { Check } from '../check.ts';
import { readsPublished, typesPublished } from './azure-types.ts';
import { filesLoad, modulesFit, namesResolve, parses } from './language.ts';
import { azdFinds, parametersFit, workflowPasses } from './parameters.ts';
import { keysOff, noSecrets, noWildcards, roles } from './security.ts';
import { settingsAgree } from './settings.ts';
import { signalsAreSent } from './signals.ts';

export const CHECKS: Check[] = [
  parses,
  namesResolve,
  modulesFit,
  filesLoad,
  parametersFit,
  workflowPasses,
  azdFinds,
  typesPublished,
  readsPublished,
  settingsAgree,
  signalsAreSent,
  keysOff,
  noSecrets,
  roles,
  noWildcards,
];
