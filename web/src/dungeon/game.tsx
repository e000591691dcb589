import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { confirmUser } from './api';
import { Arch } from './arch';
import { AskButton, AskError, useAsking } from './asking';
import { Candle } from './candle';
import { Entrance } from './entrance';
import { Carried, Room } from './room';
import { held, isTreasure, sceneOf, type Scene } from './scene';
import { Story } from './story';
import { Trouble } from './trouble';
import { watch, type Seen, type Watch } from './watch';
import { Workflows } from './workflows';

/** A player's game: the scene, the story and the workflows behind it. */
export function Game({ player, enter }: { player: string; enter: (name: string) => void }): VNode {
  const [seen, setSeen] = useState<Seen>({ world: undefined, workflows: {}, story: [], slow: false });
  const [confirmed, setConfirmed] = useState(false);
  const watching = useRef<Watch>(undefined);
  const asking = useAsking();
  useEffect(() => {
    watching.current = watch(player, setSeen);
    return () => watching.current?.stop();
  }, [player]);

  const look = async (): Promise<void> => watching.current?.look();
  const found = sceneOf(seen);
  const scene = found === 'door' && confirmed ? 'entering' : found;
  const leave = (): void => enter('');
  const stage = useFocus(scene, asking.current);
  if (scene === 'nobody') return <Entrance enter={enter} stranger={player} />;

  const { world, workflows: states } = seen;
  return (
    <div class="game">
      <Trouble seen={seen} look={look} />
      <section class={`panel stage ${scene}`} ref={stage} aria-labelledby="scene">
        {scene === 'looking' && <Waiting title="Who is there?">You hold your torch into the dark…</Waiting>}
        {scene === 'making' && (
          <Waiting title="A dungeon is being dug">Monster, room, weapon and treasure: all at once…</Waiting>
        )}
        {scene === 'entering' && (
          <Waiting title="The door swings open">You go down, one step after the other…</Waiting>
        )}
        {scene === 'door' && states.UserConfirmationWorkflow && (
          <>
            <Title>Dare you go in?</Title>
            <Candle
              key={states.UserConfirmationWorkflow.created}
              confirmation={states.UserConfirmationWorkflow}
            />
            <p class="lead">
              A candle is lit for you. Say that you will go in before it burns down. Whoever still dithers
              then is dead.
            </p>
            <AskButton
              asking={asking}
              label="I dare: let me in"
              doing="The bolt is drawn…"
              question={async () => {
                await confirmUser(player);
                setConfirmed(true);
                await look();
              }}
              primary
            />
            <AskError asking={asking} />
          </>
        )}
        {scene === 'room' && world && (
          <>
            <Title>{world.room?.name ?? 'In the dark'}</Title>
            <Room player={player} world={world} asking={asking} look={look} />
          </>
        )}
        {scene === 'won' && world && (
          <>
            <Arch mood="open" />
            <Title>You have won</Title>
            <p class="lead">
              The {world.monster?.name} lies dead, and <bdi>{player}</bdi> climbs into the light with the{' '}
              <strong class="treasure">{held(world).find((name) => isTreasure(world, name))}</strong>.
            </p>
            <Carried world={world} />
            <button type="button" class="primary" onClick={leave}>
              Play again
            </button>
          </>
        )}
        {scene === 'dead' && (
          <>
            <Arch mood="cold" />
            <Title>You are dead</Title>
            <p class="lead">
              The candle burned down, and nobody heard <bdi>{player}</bdi> say a word. The dark does not wait
              for those who dither.
            </p>
            <button type="button" class="primary" onClick={leave}>
              Try again
            </button>
          </>
        )}
        {scene === 'undone' && (
          <>
            <Arch mood="cold" />
            <Title>The dungeon caved in</Title>
            <p class="lead">
              Something went wrong while it was being dug. What was made has been undone, and your name is
              free again.
            </p>
            <button type="button" class="primary" onClick={leave}>
              Begin anew
            </button>
          </>
        )}
      </section>
      <Story lines={seen.story} />
      <Workflows states={states} over={scene === 'dead' || scene === 'undone'} />
    </div>
  );
}

/** The heading of a scene. It takes the focus when the scene begins, and gives the tab its title. */
function Title({ children }: { children: string }) {
  useEffect(() => {
    const before = document.title;
    document.title = `${children} · ${before}`;
    return () => {
      document.title = before;
    };
  }, [children]);
  return (
    <h1 id="scene" tabIndex={-1}>
      {children}
    </h1>
  );
}

function Waiting({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <>
      <Title>{title}</Title>
      <p class="busy" role="status">
        {children}
      </p>
    </>
  );
}

/**
 * Moves the focus to the heading when a new scene begins, and to the next control when the pressed button has
 * disappeared.
 */
function useFocus(scene: Scene, asked: string | undefined) {
  const stage = useRef<HTMLElement>(null);
  const before = useRef(scene);
  useLayoutEffect(() => {
    if (scene === before.current) return;
    before.current = scene;
    stage.current?.querySelector('h1')?.focus();
  }, [scene]);
  useLayoutEffect(() => {
    if (asked !== undefined || document.activeElement !== document.body) return;
    stage.current?.querySelector<HTMLElement>('button')?.focus();
  }, [asked]);
  return stage;
}
