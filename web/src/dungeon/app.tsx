import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Entrance } from './entrance';
import { Game } from './game';

/**
 * The address contains the player's name, so that a reload, a bookmark and the Back button lead to the same
 * game.
 */
const playerInAddress = (): string => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
};

export function App(): VNode {
  const [player, setPlayer] = useState(playerInAddress);
  const [entered, setEntered] = useState(0);
  useEffect(() => {
    const follow = (): void => setPlayer(playerInAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  const enter = (name: string): void => {
    setEntered(entered + 1); // A name that was unknown before is looked up again.
    location.hash = encodeURIComponent(name);
  };
  return (
    <>
      <header class="top">
        <a href="/">Durable workflows</a>
        {player && (
          <p class="who">
            <bdi>{player}</bdi>
            <a href="#">Leave</a>
          </p>
        )}
      </header>
      <main>
        {player ? (
          <Game key={`${entered} ${player}`} player={player} enter={enter} />
        ) : (
          <Entrance enter={enter} />
        )}
      </main>
    </>
  );
}
