/** The HTTP interface of approvals, as the pages use it. */
import { json, send } from './http';
import { keyHeader } from './key';

export interface Happening {
  /** ISO 8601. */
  at: string;
  what: string;
  who: string;
}

export interface Approval {
  id: string;
  subject: string;
  details?: string;
  requestedBy: string;
  approver: string;
  escalateTo: string;
  state: string;
  waitsFor?: string;
  respondBy: string;
  expiresAt: string;
  decidedBy?: string;
  comment?: string;
  history: Happening[];
}

export interface Page {
  value: Approval[];
  nextLink?: string;
}

const get = async <T>(path: string): Promise<T> => json<T>(await send(path, { headers: keyHeader() }));

const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Approval> =>
  json(
    await send(path, {
      method: 'POST',
      headers: { ...keyHeader(), ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

/** The person whom the platform has signed in, if it signs people in. */
export const signedIn = async (): Promise<string | undefined> =>
  (await get<{ name?: string }>('/api/me')).name;

/** What waits for a person, the earliest deadline first. */
export const waitingFor = (person: string, top: number): Promise<Page> =>
  get(`/api/approvals?waitsFor=${encodeURIComponent(person)}&top=${top}`);

/** What a person has requested, the latest first. */
export const requestedBy = (person: string, top: number): Promise<Page> =>
  get(`/api/approvals?requestedBy=${encodeURIComponent(person)}&top=${top}`);

export const decide = (id: string, decision: string, by: string, comment: string): Promise<Approval> =>
  post(`/api/approvals/${id}/decision`, { decision, by, ...(comment && { comment }) });

/** @param key makes a repeat of the same request harmless */
export const request = (wanted: object, key: string): Promise<Approval> =>
  post('/api/approvals', wanted, { 'Idempotency-Key': key });
