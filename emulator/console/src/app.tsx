import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, type AppInfo } from './api.js';
import { ClockBar } from './clock.js';
import { Functions } from './functions.js';
import { Instance } from './instance.js';
import { Instances } from './instances.js';
import { useLive } from './live.js';
import { useRoute } from './route.js';

export function App(): VNode {
  const live = useLive();
  const route = useRoute();
  const [app, setApp] = useState<AppInfo>();
  const [problem, setProblem] = useState<string>();
  // An emulator that has started again may run another version of the app.
  useEffect(() => {
    if (live.isConnected) get<AppInfo>('api/app').then(setApp, (error: Error) => setProblem(error.message));
  }, [live.isConnected]);
  const tab = route.page === 'instance' ? (route.id.startsWith('@') ? 'entities' : 'instances') : route.page;
  return (
    <>
      <header>
        <h1>
          Emulator{' '}
          {app && (
            <small>
              task hub {app.hub}, {app.storage === 'memory' ? 'in memory' : `in ${app.storage}`}
            </small>
          )}
        </h1>
        <nav aria-label="Parts">
          {(['instances', 'entities', 'functions'] as const).map((page) => (
            <a key={page} href={`#/${page}`} {...(tab === page && { 'aria-current': 'page' as const })}>
              {{ instances: 'Instances', entities: 'Entities', functions: 'Queues and timers' }[page]}
            </a>
          ))}
        </nav>
        <ClockBar live={live} />
        {!live.isConnected && (
          <p role="status" class="wrong">
            The emulator does not answer. This page connects again when it does.
          </p>
        )}
        {problem && (
          <p role="alert" class="wrong">
            {problem}
          </p>
        )}
      </header>
      <main>
        {route.page === 'instance' ? (
          <Instance key={route.id} id={route.id} live={live} />
        ) : route.page === 'functions' ? (
          <Functions app={app} live={live} />
        ) : (
          <Instances key={route.page} live={live} app={app} entities={route.page === 'entities'} />
        )}
      </main>
    </>
  );
}
