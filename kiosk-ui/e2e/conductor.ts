// The facilitator's commands without the facilitator's page: for tests that are not about it.
import { expect } from 'vitest';
import type { CommandBody, FacilitatorView } from '../src/lib/protocol';
import type { Hall, Screen } from './hall';
import type { Kiosk } from './kiosk';

export const pin = '258014';

export class Conductor {
  #screen: Screen;

  readonly kiosk: Kiosk;

  private constructor(screen: Screen, kiosk: Kiosk) {
    this.#screen = screen;
    this.kiosk = kiosk;
  }

  /** Sets the PIN, or signs in when there is one. */
  static async at(hall: Hall, kiosk: Kiosk): Promise<Conductor> {
    const screen = await hall.screen(kiosk, 'summary', { name: 'conductor', path: '/healthz' });
    const post = (path: string) =>
      screen.page.context().request.post(kiosk.address + path, { data: { pin } });
    if (!(await post('/api/pin')).ok()) {
      const answer = await post('/api/sign-in');
      expect(answer.status(), await answer.text()).toBe(204);
    }
    return new Conductor(screen, kiosk);
  }

  /** The page that holds the sign-in. */
  get screen(): Screen {
    return this.#screen;
  }

  /** Carries a command out and waits for its commit. */
  async do(body: CommandBody): Promise<void> {
    const answer = await this.#talk(body);
    expect(answer, JSON.stringify(body)).toMatchObject({ type: 'done' });
  }

  async view(): Promise<FacilitatorView> {
    return (await this.#talk(null)) as FacilitatorView;
  }

  async plan(venue = 'Balai Desa Noelbaki', rehearsal = false): Promise<void> {
    await this.do({
      do: 'planScreening',
      rehearsal,
      details: {
        regency: 'kupang',
        venue,
        audience: 'public',
        label: '',
        heldAt: new Date().toISOString(),
      },
    });
  }

  /** Plans if nothing is planned, goes to the step, and opens the question there. */
  async ask(question: string, step: 'poll_before' | 'discussion' = 'poll_before'): Promise<void> {
    const view = await this.view();
    if (!view.screening || view.step === 'ended') await this.plan();
    if (view.step !== step) await this.do({ do: 'moveTo', step });
    await this.do({ do: 'openQuestion', question, newRound: false });
  }

  #talk(body: CommandBody | null): Promise<unknown> {
    return this.#screen.page.evaluate(
      ([body, id]) =>
        new Promise((done, failed) => {
          const socket = new WebSocket(`ws://${location.host}/ws?role=facilitator`);
          const end = (what: unknown) => {
            socket.onclose = null;
            socket.close();
            done(what);
          };
          socket.onopen = () => body && socket.send(JSON.stringify({ id, ...body }));
          socket.onmessage = ({ data }) => {
            const message = JSON.parse(data);
            if (!body && message.type === 'view') end(message.view);
            if (message.id === id) end(message);
          };
          socket.onclose = () => failed(new Error('the kiosk hung up'));
        }),
      [body, crypto.randomUUID()] as const,
    );
  }
}
