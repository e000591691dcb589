import type { HttpMethod } from '@azure/functions';

/** One row of {@link routes}. */
export interface Route {
  methods: HttpMethod[];
  /** From the root: host.json leaves the prefix empty. */
  route: string;
  /** `anonymous` asks for nothing; `function` for a key, of the function or of the host. */
  authLevel: 'anonymous' | 'function';
}

/** Each function that answers HTTP, by its name, and who may call it. `endpoint` registers them from here. */
export const routes = {
  // It matches the empty path alone: `/admin` and `/runtime` stay the host's.
  HomePage: { methods: ['GET', 'HEAD'], route: '{ignored:maxlength(0)?}', authLevel: 'anonymous' },
  DungeonPage: { methods: ['GET', 'HEAD'], route: 'dungeon', authLevel: 'anonymous' },
  PageAssets: { methods: ['GET', 'HEAD'], route: 'assets/{*file}', authLevel: 'anonymous' },

  StartOrchestrator: {
    methods: ['POST'],
    route: 'api/orchestrators/{orchestratorName}',
    authLevel: 'function',
  },

  RequestApproval: { methods: ['POST'], route: 'api/approvals', authLevel: 'function' },
  ListApprovals: { methods: ['GET'], route: 'api/approvals', authLevel: 'function' },
  GetApproval: { methods: ['GET'], route: 'api/approvals/{id}', authLevel: 'function' },
  DecideApproval: { methods: ['POST'], route: 'api/approvals/{id}/decision', authLevel: 'function' },

  PlanReminders: { methods: ['POST'], route: 'api/reminders', authLevel: 'function' },
  GetReminders: { methods: ['GET'], route: 'api/reminders/{id}', authLevel: 'function' },
  CancelReminders: { methods: ['DELETE'], route: 'api/reminders/{id}', authLevel: 'function' },
  AcknowledgeReminders: {
    methods: ['POST'],
    route: 'api/reminders/{id}/acknowledgement',
    authLevel: 'function',
  },

  // The names of these are the original game's; `DungeonStory` is ours.
  NewUser: { methods: ['POST'], route: 'api/NewUser', authLevel: 'anonymous' },
  ConfirmUser: { methods: ['POST'], route: 'api/ConfirmUser', authLevel: 'anonymous' },
  Action: { methods: ['POST'], route: 'api/Action', authLevel: 'anonymous' },
  GameStatus: { methods: ['GET'], route: 'api/GameStatus/{username}', authLevel: 'anonymous' },
  CheckStatus: { methods: ['GET'], route: 'api/CheckStatus/{username}/{workflow}', authLevel: 'anonymous' },
  DungeonStory: { methods: ['GET'], route: 'api/dungeon/{username}/story', authLevel: 'anonymous' },
} satisfies Record<string, Route>;
