// One page's live line to the kiosk. The messages are in protocol.ts.
//
// Promises: a command is sent in the order given, kept until the kiosk has answered it,
// and sent again with the same id after every reconnection, so it counts once. Counts
// and ballots of the touch screen and of a phone are kept over a reload too. A count or
// ballot that the kiosk could not save (not_saved, busy) stays in the outbox and is sent
// again every 2 s; `trouble` says so meanwhile.
//
// Silence: a browser is not told of protocol-level pings. After 15 s without a message
// the page sends {"id": ..., "do": "ping"} and expects any message, the "done" for it
// at least; 10 s later it gives the line up and dials again.

import type {
  CommandBody,
  FromKiosk,
  Mine,
  PlayerReport,
  Role,
  Text,
  ToKiosk,
  View,
} from './protocol';

export type Answer = { ok: true } | { ok: false; reason: string; message: Text };
export type Status = 'connecting' | 'online' | 'offline';

type Command = { id: string; screening?: string } & CommandBody;

interface Waiting {
  message: Command;
  answer: (answer: Answer) => void;
  giveUp?: ReturnType<typeof setTimeout>;
  again?: ReturnType<typeof setTimeout>;
}

const firstWait = 300; // ms, doubled at each failure
const longestWait = 5_000;
const silence = 15_000; // then a ping
const patience = 10_000; // then the line is given up
const wakeUpPatience = 4_000; // the same, when a page comes back to the front
const nextTry = 2_000; // after a count or ballot could not be saved
const lateCommand = 20_000; // a facilitator's command must not act long after the press
const dialsBeforeDoubt = 3;
const isOpen = 1; // WebSocket.OPEN, in windows that have no WebSocket too

const tooLate: Text = {
  id: 'Kiosk tidak menjawab. Lihat layar dulu, lalu coba lagi bila belum terjadi.',
  en: 'The kiosk did not answer. Look at the screen first, then try again if nothing happened.',
};

const closed: Text = {
  id: 'Halaman ini sedang ditutup.',
  en: 'This page is being closed.',
};

export class Connection<V extends View = View> {
  /** The last view received, whatever its number: a restarted kiosk may count lower. */
  view = $state.raw<V | null>(null);
  /** This phone's own ballot in the question on the screen, as the kiosk holds it. */
  mine = $state.raw<Mine | null>(null);
  /** stage: this page plays the film; kept while there is no line, for the film goes on. */
  leads = $state(false);
  status = $state<Status>('connecting');
  /** False once three dials failed with none ever answered: the window cannot do it. */
  websocketPossible = $state(true);
  /** Commands that the kiosk has not answered yet. */
  pending = $state(0);
  /** Those of them that are ballots. */
  ballots = $state(0);
  /** The kiosk's words while it cannot save what waits here; null while it can. */
  trouble = $state.raw<Text | null>(null);

  #role: Role;
  #storage: Storage | null;
  #socket: WebSocket | null = null;
  #outbox = new Map<string, Waiting>();
  #failures = 0;
  #everOpen = false;
  #closed = false;
  #redial: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  /** Dials at once. Call close() to end it; a page lives as long as its connection. */
  constructor(role: Role) {
    this.#role = role;
    this.#storage = storageOf(role);
    for (const message of this.#stored()) this.#outbox.set(message.id, { message, answer() {} });
    this.#count();
    addEventListener('online', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#dial();
  }

  /**
   * Sends a command and waits for the answer. Never rejects. Counts and ballots wait for
   * the kiosk as long as it takes; any other command is given up after 20 s with the
   * reason "unanswered" (it may have happened all the same).
   */
  send(body: CommandBody): Promise<Answer> {
    if (this.#closed) return Promise.resolve({ ok: false, reason: 'closed', message: closed });
    return new Promise((answer) => {
      const message: Command = { id: newID(), ...this.#evening(body), ...body };
      const waiting: Waiting = { message, answer };
      if (!lasting(body)) {
        waiting.giveUp = setTimeout(
          () => this.#settle(message.id, { ok: false, reason: 'unanswered', message: tooLate }),
          lateCommand,
        );
      }
      this.#outbox.set(message.id, waiting);
      this.#outboxChanged();
      this.#write(message);
    });
  }

  /** Tells what the stage's player sees; dropped when there is no line. */
  report(body: PlayerReport): void {
    this.#write({ id: newID(), ...body });
  }

  /** Ends the line and answers what still waits. Kept ballots stay for the next page. */
  close(): void {
    this.#closed = true;
    removeEventListener('online', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    clearTimeout(this.#redial);
    clearTimeout(this.#quiet);
    this.#leave();
    for (const { answer, giveUp, again } of this.#outbox.values()) {
      clearTimeout(giveUp);
      clearTimeout(again);
      answer({ ok: false, reason: 'closed', message: closed });
    }
    this.#outbox.clear();
    this.#count();
  }

  #count(): void {
    const waiting = [...this.#outbox.values()];
    this.pending = waiting.length;
    this.ballots = waiting.filter(({ message }) => message.do === 'castBallot').length;
  }

  /** The screening that a command was meant for: kept ones must not act on another evening. */
  #evening(body: CommandBody): { screening?: string } {
    const screening = this.view?.screening?.id;
    const timeless = body.do === 'planScreening' || body.do === 'setClock';
    return screening === undefined || timeless ? {} : { screening };
  }

  #dial(): void {
    clearTimeout(this.#redial);
    let socket: WebSocket;
    try {
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
      socket = new WebSocket(`${scheme}://${location.host}/ws?role=${this.#role}`);
    } catch {
      this.#lost(); // no WebSocket in this window, or it is forbidden
      return;
    }
    this.#socket = socket;
    this.#listen(silence); // a dial that hangs is given up too
    socket.onopen = () => {
      this.#everOpen = true;
      this.websocketPossible = true;
      this.status = 'online';
      for (const { message } of this.#outbox.values()) this.#write(message);
    };
    socket.onmessage = (event) => this.#received(String(event.data));
    socket.onclose = () => this.#lost();
  }

  #received(data: string): void {
    this.#failures = 0;
    this.#listen(silence);
    let message: FromKiosk;
    try {
      message = JSON.parse(data);
    } catch {
      return; // a kiosk newer than this page: what it cannot read, it leaves
    }
    if (message.type === 'view') {
      this.view = message.view as V;
      this.mine = message.mine ?? null;
      this.leads = message.leads ?? false;
    } else if (message.type === 'done') {
      if (message.mine !== undefined) this.mine = message.mine;
      this.#settle(message.id, { ok: true });
    } else if (message.type === 'refused') {
      const { id, reason, message: words } = message;
      const waiting = this.#outbox.get(id);
      if (waiting && lasting(waiting.message) && mayPass.includes(reason)) {
        this.trouble = words;
        clearTimeout(waiting.again);
        waiting.again = setTimeout(() => this.#write(waiting.message), nextTry);
        return;
      }
      this.#settle(id, { ok: false, reason, message: words });
    }
  }

  #settle(id: string, answer: Answer): void {
    const waiting = this.#outbox.get(id);
    if (!waiting) return;
    clearTimeout(waiting.giveUp);
    clearTimeout(waiting.again);
    this.#outbox.delete(id);
    this.trouble = null;
    this.#outboxChanged();
    waiting.answer(answer);
  }

  #write(message: ToKiosk): void {
    if (this.#socket?.readyState === isOpen) this.#socket.send(JSON.stringify(message));
  }

  #listen(span: number): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#write({ id: newID(), do: 'ping' });
      this.#expect(patience);
    }, span);
  }

  #expect(span: number): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#lost(), span);
  }

  #lost(): void {
    if (this.#closed) return;
    clearTimeout(this.#quiet);
    this.#leave();
    this.#failures += 1;
    if (!this.#everOpen && this.#failures >= dialsBeforeDoubt) this.websocketPossible = false;
    this.status = this.#failures === 1 ? 'connecting' : 'offline';
    const wait = Math.min(longestWait, firstWait * 2 ** (this.#failures - 1));
    clearTimeout(this.#redial);
    this.#redial = setTimeout(() => this.#dial(), wait * (0.5 + Math.random() / 2));
  }

  /** Lets go of the socket without hearing its late events. */
  #leave(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** The network is back or the page is looked at again: do not wait out a timer. */
  #hurry = (): void => {
    if (document.visibilityState === 'hidden') return;
    if (!this.#socket) {
      this.#dial();
    } else if (this.#socket.readyState === isOpen) {
      this.#write({ id: newID(), do: 'ping' });
      this.#expect(wakeUpPatience);
    }
  };

  #outboxChanged(): void {
    this.#count();
    const kept = [...this.#outbox.values()].map((w) => w.message).filter(lasting);
    try {
      if (kept.length > 0) this.#storage?.setItem(storageKey(this.#role), JSON.stringify(kept));
      else this.#storage?.removeItem(storageKey(this.#role));
    } catch {
      // full or forbidden: the outbox then lives as long as the page
    }
  }

  #stored(): Command[] {
    try {
      const found: unknown = JSON.parse(this.#storage?.getItem(storageKey(this.#role)) ?? '[]');
      return Array.isArray(found) ? found.filter(whole) : [];
    } catch {
      return [];
    }
  }
}

/** Reasons of the kiosk's own trouble, not of the command's. */
const mayPass = ['not_saved', 'busy'];

/** Counts and ballots belong to people in the hall: they wait however long it takes. */
function lasting(body: CommandBody): boolean {
  return ['castBallot', 'countAttendee', 'undoCount', 'pressKey'].includes(body.do);
}

function whole(found: unknown): found is Command {
  const message = found as { id?: unknown; do?: unknown } | null;
  return typeof message?.id === 'string' && typeof message.do === 'string';
}

function storageKey(role: Role): string {
  return `outbox ${role}`;
}

/** A phone keeps its ballot after its browser was closed; the touch screen only over a reload. */
function storageOf(role: Role): Storage | null {
  try {
    if (role === 'vote') return localStorage;
    if (role === 'touch') return sessionStorage;
  } catch {
    // storage forbidden
  }
  return null;
}

/** 128 random bits; crypto.randomUUID is missing on plain http. */
function newID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
