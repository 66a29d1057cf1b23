// The states that an evening goes through, for tests that look at every page in each.
import type { Conductor } from './conductor';

export const config = `
[touch]
idle = "30m"
thank_you_pause = "10s"
[wifi]
name = "Mimpi"
password = "nonton bersama"
`;

/** What the facilitator does from one state to the next. */
const evening = {
  async nothing() {},
  async doors(c: Conductor) {
    await c.plan('Balai Desa Noelbaki');
    await c.do({ do: 'moveTo', step: 'doors' });
    await c.do({ do: 'countRow', row: '1', counts: { woman: 31, man: 17, girl: 14, boy: 11 } });
  },
  async between(c: Conductor) {
    await c.do({ do: 'moveTo', step: 'poll_before' });
  },
  async open(c: Conductor) {
    await c.ask('k1');
    const counts = { '15': 9, '18': 23, 'any-age': 17, 'dont-know': 12 };
    await c.do({ do: 'countHands', question: 'k1', counts });
  },
  async closed(c: Conductor) {
    await c.do({ do: 'closeQuestion', question: 'k1' });
  },
  async film(c: Conductor) {
    await c.do({ do: 'moveTo', step: 'film' });
    await c.do({ do: 'setSubtitles', lang: 'id' });
  },
  async revealed(c: Conductor) {
    await c.ask('k1', 'discussion');
    const counts = { '15': 2, '18': 58, 'any-age': 3, 'dont-know': 4 };
    await c.do({ do: 'countHands', question: 'k1', counts });
    await c.do({ do: 'closeQuestion', question: 'k1' });
    await c.do({ do: 'revealQuestion', question: 'k1' });
  },
  // The longest words, and several choices.
  async long(c: Conductor) {
    await c.ask('o4', 'discussion');
  },
  async several(c: Conductor) {
    await c.do({ do: 'closeQuestion', question: 'o4' });
    await c.ask('o5', 'discussion');
  },
  async closing(c: Conductor) {
    await c.do({ do: 'moveTo', step: 'closing' });
  },
  async ended(c: Conductor) {
    await c.do({ do: 'moveTo', step: 'ended' });
  },
};
export type State = keyof typeof evening;

/** Goes through the evening and looks in each state. */
export async function through(c: Conductor, look: (state: State) => Promise<void>): Promise<void> {
  for (const state of Object.keys(evening) as State[]) {
    await evening[state](c);
    await look(state);
  }
}
