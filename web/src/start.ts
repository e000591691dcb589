/**
 * Makes the start page's curl lines ready to run: inserts this server's address and a pasted id, and adds a
 * button that copies.
 */

const written = 'http://localhost:7071';
const said = document.querySelector('#said');

for (const section of document.querySelectorAll<HTMLElement>('[data-try]')) {
  const id = section.querySelector('input');
  section.querySelector<HTMLElement>('.id')?.removeAttribute('hidden');
  id?.addEventListener('input', () => {
    const name = id.value.trim().split('/').at(-1) || 'ID';
    for (const place of section.querySelectorAll('var')) place.textContent = name;
  });
  for (const line of section.querySelectorAll('pre')) prepare(line);
}

function prepare(line: HTMLPreElement): void {
  const code = line.querySelector('code');
  const start = code?.firstChild;
  if (!code || !start) return;
  start.textContent = start.textContent?.replace(written, location.origin) ?? null;

  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', `Copy: ${line.previousElementSibling?.textContent ?? ''}`);
  button.addEventListener('click', () => void copy(code, button));
  line.before(button);
}

/**
 * Copies the line. Where the browser forbids that, selects the text instead, so that the keyboard can copy
 * it.
 */
async function copy(code: HTMLElement, button: HTMLButtonElement): Promise<void> {
  let outcome = 'Copied';
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
  } catch {
    getSelection()?.selectAllChildren(code);
    outcome = 'Selected';
  }
  button.textContent = outcome;
  if (said) said.textContent = outcome;
  setTimeout(() => {
    button.textContent = 'Copy';
    if (said) said.textContent = '';
  }, 2000);
}
