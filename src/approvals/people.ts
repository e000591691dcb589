import { samePerson } from '../identity/index.js';
import type { ApprovalRequest } from './model.js';

/** A request with one spelling of each person's name: `Kim@contoso.com` and `kim@contoso.com` are one person. */
export function spelledOnce(wanted: ApprovalRequest): ApprovalRequest {
  const { approver } = wanted;
  const escalateTo = samePerson(approver, wanted.escalateTo) ? approver : wanted.escalateTo;
  const requestedBy = [approver, escalateTo].find((each) => samePerson(each, wanted.requestedBy));
  return { ...wanted, escalateTo, requestedBy: requestedBy ?? wanted.requestedBy };
}
