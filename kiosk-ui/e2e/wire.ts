// The Wi-Fi between one screen and the kiosk: a wire that can be cut.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { listening } from './kiosk';

type State = 'whole' | 'cut' | 'silent';

/**
 * Passes bytes on, both ways, while `whole`. When `cut` every connection breaks and none can
 * be made. When `silent` they stay, and nothing comes through: the phone has walked out of reach.
 */
export class Wire {
  readonly address: string;
  #state: State = 'whole';
  #server: Server;
  #pairs = new Set<[Socket, Socket]>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = `http://127.0.0.1:${port}`;
  }

  static async to(port: number): Promise<Wire> {
    const server = createServer({ pauseOnConnect: true });
    const wire = new Wire(server, await listening(server));
    server.on('connection', (near) => wire.#join(near, port));
    return wire;
  }

  set state(next: State) {
    this.#state = next;
    for (const pair of this.#pairs) this.#follow(pair);
  }

  async gone(): Promise<void> {
    this.state = 'cut';
    await new Promise((done) => this.#server.close(done));
  }

  #join(near: Socket, port: number): void {
    if (this.#state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('data', (data) => {
        if (!other.write(data)) one.pause();
      });
      other.on('drain', () => this.#state !== 'silent' && one.resume());
      one.on('end', () => other.end());
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
    this.#follow(pair);
  }

  #follow(pair: [Socket, Socket]): void {
    for (const socket of pair) {
      if (this.#state === 'cut') socket.destroy();
      else if (this.#state === 'silent') socket.pause();
      else socket.resume();
    }
  }
}
