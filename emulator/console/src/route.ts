/** Which part of the console is shown: the part of the address after `#`. */
import { useEffect, useState } from 'preact/hooks';

export type Route = { page: 'instances' | 'entities' | 'functions' } | { page: 'instance'; id: string };

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return routeOf(hash);
}

function routeOf(hash: string): Route {
  const [, page = '', id] = hash.split('/');
  if (page === 'instances' && id !== undefined) return { page: 'instance', id: decodeURIComponent(id) };
  return { page: page === 'entities' || page === 'functions' ? page : 'instances' };
}

export const linkTo = (id: string): string => `#/instances/${encodeURIComponent(id)}`;

export function open(id: string): void {
  location.hash = linkTo(id);
}
