import { render, type VNode } from 'preact';

/** Renders a page. */
export function mount(app: VNode): void {
  const root = document.getElementById('app');
  if (root) render(app, root);
}
