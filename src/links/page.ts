import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { readForm, signedIn, withProblems } from '../http/index.js';
import { identifies } from '../identity/index.js';
import { madePage, markup, type Html } from '../pages/index.js';
import { verify, type Allowed } from './links.js';

/** What is behind a link: a page without a script. */
export interface LinkPage {
  /** Default: 200. */
  status?: number;
  title: string;
  /** Below the title. */
  content?: Html | undefined;
  /** The form with a button for each action. */
  form?: { fields?: Html; buttons: readonly { action: string; label: string }[] };
}

/** Why a link does not work. */
export type Refused = 'altered' | 'another' | 'expired' | 'used';

const REFUSED: Readonly<Record<Refused, { status: number; title: string; text: string }>> = {
  altered: {
    status: 403,
    title: 'This link is not right',
    text: 'A part of it is missing or was changed. Open it from the message again.',
  },
  another: {
    status: 403,
    title: 'This link is for somebody else',
    text: 'Only the receiver of the message can use it.',
  },
  expired: {
    status: 410,
    title: 'This link has expired',
    text: 'The time in which it could be used has passed.',
  },
  used: { status: 410, title: 'This link was used', text: 'A link works once.' },
};

/** The page that says why a link does not work. */
export function refused(why: Refused, more?: Html): LinkPage {
  const { status, title, text } = REFUSED[why];
  return {
    status,
    title,
    content: markup`<p>${text}</p>
      ${more}`,
  };
}

/** The page behind the links of a feature. Both functions may still find the link used. */
export interface LinkHandlers {
  /** Shows the case. It must change nothing: mail scanners follow links, and run scripts. */
  show: (link: Allowed) => Promise<LinkPage>;
  /** Does what the person has chosen. */
  act: (
    link: Allowed,
    chosen: { action: string; comment: string },
    client: DurableClient,
    context: InvocationContext,
  ) => Promise<LinkPage>;
}

/**
 * Registers the page behind the links of a feature: GET shows the case, and POST acts. Neither needs a key,
 * because the link is signed. A person whom the platform has signed in can use their own links only.
 *
 * @param page the path, such as `/decide`
 */
export function linkPage(name: string, page: string, { show, act }: LinkHandlers): void {
  const route = page.slice(1);
  df.app.client.http(`${name}Page`, {
    route,
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: withProblems(async (request) => {
      const token = request.query.get('link') ?? '';
      const link = linkIn(request, page, token);
      return answer(page, typeof link === 'string' ? refused(link) : await show(link), token);
    }),
  });
  df.app.client.http(`${name}ByLink`, {
    route,
    methods: ['POST'],
    authLevel: 'anonymous',
    handler: withProblems(async (request, client, context) => {
      const form = await readForm(request);
      const link = linkIn(request, page, form.get('link') ?? '');
      if (typeof link === 'string') return answer(page, refused(link));
      const action = form.get('action') ?? '';
      return answer(
        page,
        link.actions.includes(action)
          ? await act(link, { action, comment: form.get('comment') ?? '' }, client, context)
          : refused('altered'),
      );
    }),
  });
}

/** A time as these pages show it: without a script they do not know the reader's time zone. */
export function utc(time: string): string {
  return `${moment.utc(time).format('D MMMM YYYY, HH:mm')} UTC`;
}

function linkIn(request: HttpRequest, page: string, token: string): Allowed | Refused {
  const link = verify(token, page, moment.utc());
  if (typeof link === 'string') return link;
  const principal = signedIn(request);
  return principal === undefined || identifies(principal, link.person) ? link : 'another';
}

async function answer(
  page: string,
  { status = 200, title, content, form }: LinkPage,
  token = '',
): Promise<HttpResponseInit> {
  // The link goes into the body of the POST, and not into its address.
  const body = markup`<h1>${title}</h1>
    ${content}
    ${
      form &&
      markup`<form method="post" action="${page}" class="panel">
        <input type="hidden" name="link" value="${token}" />
        ${form.fields}
        <div class="actions">
          ${form.buttons.map(
            ({ action, label }, index) =>
              markup`<button name="action" value="${action}" class="${index === 0 ? 'primary' : ''}">${label}</button>`,
          )}
        </div>
      </form>`
    }`;
  return madePage('link.html', { status, title, body });
}
