/** The actions of durable-functions 3.x, as its answers have them. */
import type { EntityId } from '../entities/entity-messages.js';
import type { HttpCall } from '../http/http-call.js';

/** `ActionType`, in the SDK's `lib/src/actions/ActionType.js`. */
export const ACTION = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

/** An action in the SDK's form. Each kind has some of the fields. */
export interface SdkAction {
  actionType: number;
  functionName?: string;
  input?: unknown;
  instanceId?: string;
  version?: string;
  fireAt?: string | Date;
  isCanceled?: boolean;
  externalEventName?: string;
  compoundActions?: SdkAction[];
  httpRequest?: Partial<HttpCall> & { uri: string };
  operation?: string;
  lockSet?: EntityId[];
  /** JSON has null for a number that is not finite, and the SDK passes texts on. */
  retryOptions?: Record<string, number | string | null | undefined>;
}

/** The extension cannot read an action, and so nothing of the answer counts. */
export class UnreadableActionError extends Error {
  override name = 'UnreadableActionError';

  /**
   * @param message the extension's
   * @param cause what the app's code does, as sentences
   */
  constructor(
    message: string,
    override readonly cause: string,
  ) {
    super(message);
  }
}
