/** The page behind the links in messages to approvers: `/decide`. */
import moment from 'moment';
import { linkPage, refused, utc, type Allowed, type LinkPage } from '../links/index.js';
import { markup, type Html } from '../pages/index.js';
import { Refusal } from '../refusals/index.js';
import { goOn } from './endpoints.js';
import { DECIDE_PAGE, decisionRequest, type Approval, type Happening } from './model.js';
import { decided } from './orchestrators.js';
import { decide, progress, waitsFor } from './rules.js';
import { approvals } from './store.js';

const BUTTONS = [
  { action: 'approved', label: 'Approve' },
  { action: 'rejected', label: 'Reject' },
];

linkPage('Decide', DECIDE_PAGE, {
  async show(link) {
    const approval = await approvals.read(link.id);
    // The record was removed, long after its end.
    return approval === undefined ? refused('expired') : (unusable(approval, link) ?? question(approval));
  },

  async act({ id, person }, { action, comment }, client, context) {
    const decision = decisionRequest.safeParse({ decision: action, ...(comment && { comment }) });
    if (!decision.success) {
      return { status: 400, title: 'Nothing was decided', content: markup`<p>The comment is too long.</p>` };
    }
    const result = await approvals.change(id, (approval) =>
      decide(approval, { ...decision.data, by: person }, moment.utc()),
    );
    if (result === undefined) return refused('expired');
    if (result instanceof Refusal) {
      if (result.reason === 'too-late') return refused('expired');
      const approval = (await approvals.read(id))!;
      return (
        unusable(approval, { person }) ?? {
          status: 403,
          title: result.title,
          content: markup`<p>${result.detail}</p>`,
        }
      );
    }
    const { record, changed } = result;
    if (!changed) return refused('used', outcome(record));
    // The decision is recorded. If this fails, the sweep wakes the workflow.
    await goOn(client, record, { wake: decided }).catch((error: unknown) => {
      context.warn('The workflow of %s was not woken', id, error);
    });
    return {
      title: `You have ${record.state} this`,
      content: markup`<p>${record.subject}</p>
        <p>${record.requestedBy} gets a message.</p>`,
    };
  },
});

/** Why the link does not work for the approval as it is now; `undefined` when it does. */
function unusable(approval: Approval, { person }: Pick<Allowed, 'person'>): LinkPage | undefined {
  const waiting = waitsFor(approval);
  if (waiting === undefined) return refused('used', outcome(approval));
  if (waiting !== person) return refused('another');
  return moment.utc().isBefore(progress(approval).deadline) ? undefined : refused('expired');
}

function question(approval: Approval): LinkPage {
  const { subject, details, requestedBy, history } = approval;
  return {
    title: subject,
    content: markup`<dl>
        <dt>Requested by</dt>
        <dd>${requestedBy}</dd>
        <dt>Decide before</dt>
        <dd>${utc(progress(approval).deadline)}</dd>
      </dl>
      ${
        details &&
        markup`<section class="panel">
          <h2>Details</h2>
          <p class="details">${details}</p>
        </section>`
      }
      <section>
        <h2>So far</h2>
        <ol class="history">
          ${history.map((each) => markup`<li>${utc(each.at)}: ${inWords(each)}</li>`)}
        </ol>
      </section>`,
    form: {
      fields: markup`<label for="comment">Comment (optional)</label>
        <textarea id="comment" name="comment" rows="3" maxlength="1000"></textarea>`,
      // Nobody approves a request of their own.
      buttons: requestedBy === waitsFor(approval) ? BUTTONS.slice(1) : BUTTONS,
    },
  };
}

function outcome({ subject, state, decidedBy, history }: Approval): Html {
  return markup`<p>${subject}: ${state}${decidedBy && ` by ${decidedBy}`}, ${utc(history.at(-1)!.at)}.</p>`;
}

function inWords({ what, who }: Happening): string {
  switch (what) {
    case 'asked':
      return `${who} got a message`;
    case 'escalated':
      return `escalated to ${who}`;
    case 'reminded':
      return `${who} is reminded`;
    case 'reported':
      return `${who} got a message about the end`;
    default:
      return `${what} by ${who}`;
  }
}
