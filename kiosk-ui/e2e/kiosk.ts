// The real daemon, started, killed and started again on the same data and port.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { daemon, film, pack, root } from './places';

export interface Options {
  /** The text of a configuration file. */
  config?: string;
  pack?: string;
  /** The folder of a film; the demo film if not. */
  film?: string;
  /** Listens on every address of the machine, not on loopback alone. */
  everywhere?: boolean;
}

/** An event as the journal holds it. */
export interface Recorded {
  seq: number;
  at: number;
  screening: string;
  command: string | null;
  source: string;
  kind: string;
  data: Record<string, unknown>;
}

const startsWithin = 20_000; // ms; it takes 100 on a machine at rest

export class Kiosk {
  readonly address: string;
  readonly port: number;
  readonly folder: string;
  /** All that the daemon has said, of every start. */
  said = '';

  #options: Options;
  #process: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(port: number, options: Options) {
    this.port = port;
    this.address = `http://127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'mimpi-e2e-'));
    this.#options = options;
  }

  static async start(options: Options = {}): Promise<Kiosk> {
    const kiosk = new Kiosk(await freePort(), options);
    await kiosk.start();
    return kiosk;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the kiosk is not running');
    return this.#process.pid;
  }

  /** Starts it, first or again, and waits until a commit works. */
  async start(): Promise<void> {
    if (this.#process) throw new Error('the kiosk is running already');
    const { config, everywhere } = this.#options;
    const words = [
      'run',
      '--data',
      this.data,
      '--pack',
      this.#options.pack ?? pack,
      '--film',
      this.#options.film ?? film,
    ];
    words.push('--listen', `${everywhere ? '' : '127.0.0.1'}:${this.port}`);
    if (config !== undefined) {
      const file = join(this.folder, 'kiosk.toml');
      writeFileSync(file, config);
      words.push('--config', file);
    }
    this.#say(`--- mimpi-kiosk ${words.join(' ')}\n`);
    // setpriv lets the kernel end it with us, however we end.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', daemon, ...words], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.stdout?.on('data', (data) => this.#say(String(data)));
    child.stderr?.on('data', (data) => this.#say(String(data)));
    this.#ended = new Promise<void>((done) => {
      child.once('error', (error) => {
        this.#say(`--- ${error}\n`);
        done();
      });
      child.once('close', (code, signal) => {
        this.#say(`--- ended: ${signal ?? code}\n`);
        if (this.#process === child) this.#process = null;
        done();
      });
    });
    const end = performance.now() + startsWithin;
    while (!(await this.healthy())) {
      if (!this.#process) throw new Error(`the kiosk ended at its start:\n${this.said}`);
      if (performance.now() > end) throw new Error(`the kiosk does not come up:\n${this.said}`);
      await after(30);
    }
  }

  async healthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.address}/healthz`)).ok;
    } catch {
      return false;
    }
  }

  /** As a failing power supply ends it. */
  async killed(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }

  /** SIGSTOP: it hears nothing, says nothing, and breaks no connection. SIGCONT: on it goes. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Ends it as systemd does. */
  async stopped(): Promise<void> {
    if (!this.#process) return;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const late = setTimeout(() => this.#process && this.signal('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(late);
  }

  /** Rows of a query on a copy of the journal. The kiosk must not be running. */
  query<Row>(sql: string): Row[] {
    if (this.#process) throw new Error('stop the kiosk first: its journal is being written');
    const copy = mkdtempSync(join(this.folder, 'look-'));
    cpSync(this.data, copy, { recursive: true });
    return ask<Row>(join(copy, 'journal.db'), sql);
  }

  /**
   * How many chose each option in the newest round, how many skipped, and all of them, by the
   * journal and also while the kiosk runs: of a handful of people no screen tells it.
   */
  tally(question: string): Record<string, number> {
    const rows = ask<{ option: string; ballots: number; round_ballots: number }>(
      join(this.data, 'journal.db'),
      `SELECT option, ballots, round_ballots FROM poll_results WHERE question = '${question}' AND
        round = (SELECT max(round) FROM poll_results WHERE question = '${question}')`,
    );
    const { '(skipped)': skipped = 0, ...counts } = Object.fromEntries(
      rows.map((row) => [row.option, row.ballots]),
    );
    return { ...counts, skipped, ballots: rows[0]?.round_ballots ?? 0 };
  }

  /** Every event, oldest first. */
  events(): Recorded[] {
    return this.query<Recorded & { data: string }>('SELECT * FROM events ORDER BY seq').map(
      (row) => ({ ...row, data: JSON.parse(row.data) }),
    );
  }

  async gone(): Promise<void> {
    await this.stopped();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A folder of this test's own, gone with the kiosk. */
  own(name: string): string {
    const made = join(this.folder, name);
    mkdirSync(made, { recursive: true });
    return made;
  }

  #say(words: string): void {
    this.said += words;
  }
}

export function ask<Row>(database: string, sql: string): Row[] {
  const found = execFileSync('sqlite3', ['-json', database, sql], {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  });
  return found.trim() === '' ? [] : JSON.parse(found);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

/** Listens on a free loopback port and gives it. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', done);
  });
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('no port');
  return at.port;
}
