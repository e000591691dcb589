import type { Notification } from './message.js';

/** A message as it is delivered. */
export interface Sent extends Pick<Notification, 'to' | 'subject' | 'text'> {
  /** The signed link, with the label of its button. */
  link?: { label: string; url: string };
}

/** The formats of webhooks: the setting `NOTIFICATION_FORMAT`. */
export const shapes = { teams, slack };

/**
 * For Workflows of Microsoft Teams: an adaptive card. A `TextRun` shows text as text; a `TextBlock` would read
 * Markdown in it. `to` is for the workflow, which can pass the card to that person.
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
function teams({ to, subject, text, link }: Sent): object {
  const paragraph = (line: string, more: object = {}): object => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text: line, ...more }],
  });
  return {
    type: 'message',
    to,
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            paragraph(subject, { size: 'large', weight: 'bolder' }),
            paragraph(`To ${to}`, { isSubtle: true }),
            ...text.split(/\n{2,}/).map((line) => paragraph(line)),
          ],
          ...(link && { actions: [{ type: 'Action.OpenUrl', title: link.label, url: link.url }] }),
        },
      },
    ],
  };
}

/** Slack's limits: https://docs.slack.dev/reference/block-kit/blocks/section-block */
const HEADER_LIMIT = 150;
const SECTION_LIMIT = 3000;

/** For incoming webhooks of Slack: blocks, in which `plain_text` shows text as text. */
function slack({ to, subject, text, link }: Sent): object {
  const plain = (line: string, limit: number): object => ({
    type: 'plain_text',
    text: line.length <= limit ? line : `${line.slice(0, limit - 1)}…`,
    emoji: false,
  });
  return {
    // For notifications. Here <, > and & begin mentions and links.
    text: subject.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    blocks: [
      { type: 'header', text: plain(subject, HEADER_LIMIT) },
      { type: 'context', elements: [plain(`To ${to}`, HEADER_LIMIT)] },
      ...(text === '' ? [] : [{ type: 'section', text: plain(text, SECTION_LIMIT) }]),
      ...(link
        ? [{ type: 'actions', elements: [{ type: 'button', text: plain(link.label, 75), url: link.url }] }]
        : []),
    ],
  };
}
