import type { VNode } from 'preact';
import { act, type Move, type World } from './api';
import { AskButton, AskError, type Asking } from './asking';
import { held, isTreasure, names } from './scene';

interface RoomProps {
  player: string;
  world: World;
  asking: Asking;
  /** Resolves when the page shows the result of a move. */
  look: () => Promise<void>;
}

/** The room as text, the possible moves, and the player's inventory. */
export function Room({ player, world, asking, look }: RoomProps): VNode {
  const { room } = world;
  const monster = world.monster?.currentRoom ? world.monster : undefined; // It exists before it is placed in the room.
  const floor = names(room?.inventoryItems);
  const grip = names(monster?.inventoryItems);
  const weapons = monster?.isAlive ? held(world).filter((name) => !isTreasure(world, name)) : [];
  const move = (to: Move) => async (): Promise<void> => {
    try {
      await act(player, to);
    } finally {
      await look();
    }
  };

  return (
    <>
      <div class="prose">
        <p>{room?.description}</p>
        {monster?.isAlive && (
          <p>
            <Named name={monster.name} kind="monster" /> stands over you
            {grip.length > 0 && (
              <>
                , clutching <Listed names={grip} kind="treasure" />
              </>
            )}
            .
          </p>
        )}
        {monster?.isAlive === false && (
          <p>
            <Named name={monster.name} kind="monster" /> lies dead.
          </p>
        )}
        {floor.length > 0 && (
          <p>
            On the floor: <Listed names={floor} kind="thing" />.
          </p>
        )}
      </div>
      <div class="moves" role="group" aria-label="What you can do">
        {floor.map((thing) => (
          <AskButton
            key={thing}
            asking={asking}
            label={`Take the ${thing}`}
            doing="Reaching for it…"
            question={move({ action: 'get', target: thing })}
            primary
          />
        ))}
        {monster &&
          weapons.map((weapon) => (
            <AskButton
              key={weapon}
              asking={asking}
              label={`Slay the ${monster.name} with the ${weapon}`}
              doing="Swinging…"
              question={move({ action: 'kill', target: monster.name, with: weapon })}
              primary
            />
          ))}
        {floor.length === 0 && weapons.length === 0 && (
          <p class="busy">You feel your way about in the dark…</p>
        )}
      </div>
      <AskError asking={asking} />
      <Carried world={world} />
    </>
  );
}

/** The player's inventory. */
export function Carried({ world }: { world: World }): VNode {
  const things = held(world);
  return (
    <div class="carried">
      <h3>You carry</h3>
      {things.length === 0 ? (
        <p class="quiet">nothing but your courage</p>
      ) : (
        <ul>
          {things.map((thing) => (
            <li key={thing} class={isTreasure(world, thing) ? 'treasure' : 'weapon'}>
              {thing}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Named({ name, kind }: { name: string; kind: string }) {
  return (
    <>
      The <strong class={kind}>{name}</strong>
    </>
  );
}

function Listed({ names: all, kind }: { names: string[]; kind: string }) {
  return (
    <>
      {all.map((name, index) => (
        <>
          {index > 0 && (index === all.length - 1 ? ' and ' : ', ')}the <strong class={kind}>{name}</strong>
        </>
      ))}
    </>
  );
}
