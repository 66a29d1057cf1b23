// The messages of /ws, as internal/web/PROTOCOL.md describes them. The golden JSON
// in internal/web/testdata/protocol is read by the tests of both sides.

export type Text = Record<string, string>;
export type Role = 'stage' | 'touch' | 'facilitator' | 'vote';
export type Step = 'set_up' | 'doors' | 'poll_before' | 'film' | 'discussion' | 'closing' | 'ended';

// ---- from the kiosk ----

export type FromKiosk =
  // leads, for /stage: this page is the player; further stage pages are silent mirrors
  | { type: 'view'; seq: number; view: View; mine?: Mine | null; leads?: boolean }
  | { type: 'done'; id: string; mine?: Mine | null }
  | { type: 'refused'; id: string; reason: string; message: Text };

export type View = StageView | TouchView | VoteView | FacilitatorView;

/** This phone's own ballot in the question on the screen. */
export interface Mine {
  question: string;
  round: number;
  choices: string[]; // empty: skipped
}

export interface ScreeningInfo {
  id: string;
  rehearsal: boolean;
  regency: Regency;
  venue: string;
  audience: 'students' | 'public';
  label: string;
  heldAt: string; // ISO 8601 with offset
}

export interface Regency {
  id: string;
  name: string;
  kemendagri: string;
  bps: string;
}

/** Fields that every view has. */
export interface Common {
  role: Role;
  screening: ScreeningInfo | null;
  step: Step;
  languages: { code: string; name: string }[];
}

export interface Question {
  id: string;
  kind: 'single' | 'several' | 'scale';
  text: Text;
  options: { id: string; text: Text; icon: string; right?: boolean }[]; // right: only after the reveal
  phase: 'open' | 'closed' | 'counted' | 'revealed'; // counted: bars without the right answer
  round: number; // the newest round, 1 is the first
  ballots: number; // in the newest round; 0 on phones while it is open and totals are hidden
  explanation?: Text; // only after the reveal
  source?: string; // only after the reveal
  rounds?: Round[]; // absent while the totals are hidden; in order, the newest last
  tooEarly?: boolean; // before the film, or asked again later: neither result nor right answer may be shown, nor is in the view
  noPhones?: boolean; // answered at the kiosk only
  byChannel?: Record<string, number>; // for the facilitator: people of the newest round by touch, phone, button, hands
  oneAddress?: number; // for the facilitator: of the newest round's phones, how many came from the address that has the most
  buttons?: boolean; // the clicker's buttons answer it: the first button for the first option, ...
}

export interface Round {
  n: number;
  step: Step; // in which it was asked
  phase: '' | 'before' | 'after' | 'after_talking'; // which figure it belongs to; '' while nobody has answered
  ballots: number; // people, the skipped ones included
  skipped: number;
  counts?: number[]; // per option, in the order of options
  shares?: number[]; // per option, percent of ballots not skipped, whole; there when counts are
  fewerThan?: number; // so few answered that nothing more is shown: no counts, no shares, ballots and skipped are 0
}

export interface Playback {
  epoch: number; // a new one: go to `at`, whatever you do now
  playing: boolean;
  at: number; // ms
  duration: number; // ms, 0 unknown
  volume: number; // 0..100
  subtitles: string; // language code, '' none
  usePausePoints: boolean;
  haltedAt?: number; // index of the pause point that it halted at
  passed?: number; // 1 + the pause point at which it halted last in this epoch: it does not halt there again
  finished: boolean;
  interrupted: boolean; // the power failed while it played
  soundLag: number; // ms that the sound comes after the picture, which waits for it; -500..1500
}

export interface FilmInfo {
  title: Text;
  credit: string;
  missing: boolean;
  player: 'browser' | 'mpv'; // browser: the page /stage plays; mpv: it stays dark below mpv's window
  subtitles: { lang: string; label: string }[];
  pausePoints: { at: number; note?: Text; question?: string }[];
}

export interface HelpNumber {
  name: Text;
  tel: string; // as dialled, shown as it is
  hours?: Text;
  checkedOn?: string; // ISO date, '' when nobody has
}

/** QR codes that can be shown now: names under /qr/NAME.svg. */
export interface Code {
  name: 'wifi' | 'vote' | 'guidebook-here' | 'guidebook-online' | 'help';
  caption: string; // the address or number in words, '' when it would not help
}

export interface StageView extends Common {
  role: 'stage';
  keys: string[]; // KeyboardEvent.key values that are clicker buttons: send pressKey
  scene:
    | 'welcome'
    | 'film'
    | 'question'
    | 'between'
    | 'guidebook'
    | 'help'
    | 'join'
    | 'thanks'
    | 'check';
  lang: string;
  count: number | null; // people in the hall; null: not shown
  question: Question | null;
  film: FilmInfo;
  playback: Playback;
  codes: Code[];
  help: HelpNumber[];
  number?: number; // in scene "check": 1 to 9
  // absent where the kiosk cannot speak. on: questions are read aloud when they open;
  // again: a greater number asks to read the question now; volume: 0..100
  voice?: { on: boolean; again: number; volume: number };
}

export interface TouchView extends Common {
  role: 'touch';
  keys: string[];
  scene: 'rest' | 'doors' | 'question' | 'thanks';
  categories: { id: string; label: Text; sex: string; age: string; count: number }[];
  total: number;
  last: string | null; // category of this source's last press that undo would take back
  question: Question | null;
  thankYou: number; // ms
  idle: number; // ms without a touch until the screen goes back to rest (Indonesian, nothing half chosen)
  stick: Stick | null; // the USB stick that people wait for; without offers
  check?: CheckView; // while the box is being checked
  voice?: { volume: number }; // absent where the kiosk cannot speak; 0..100
}

/** A USB stick that is in, or (here is false) was just pulled out in the middle. */
export interface Stick {
  disk: string; // names it in commands
  label: string; // as its owner named it, '' when it has no name
  phase:
    | 'plugged' // it was found
    | 'waiting' // until waitsFor has passed
    | 'copying' // done of all screenings
    | 'logging' // the box's own log goes onto it
    | 'taking' // a pack comes from it: done of all bytes
    | 'finishing' // it is being let go of
    | 'safe' // it may be taken out
    | 'trouble';
  waitsFor: '' | 'film' | 'power'; // asked for once more it does not wait
  task: 'export' | 'log' | 'take'; // what is or was done last
  done: number;
  all: number;
  screenings: number; // whole on the stick after the last export
  written: number; // of those, by the last export
  missing: number; // that had no room
  needMB: number; // room for those
  why: string; // of trouble; 'full', 'pulled', ...
  safe: boolean; // it may be taken out, also after trouble
  here: boolean;
  message?: Text; // of trouble
  hint?: Text; // what to do now
  offers: PackOffer[];
}

/** A screening pack that a stick brings. */
export interface PackOffer {
  name: string; // names it in commands
  title: Text;
  film: boolean; // a film comes with it
  signed: boolean; // by a key that this kiosk trusts
  mb: number;
  same: boolean; // it is the one in use, or chosen already
  no?: Text; // why it cannot be taken
}

/** The pack in use. */
export interface PackState {
  title: Text;
  waits: boolean; // another one was taken, for the next screening
  back: boolean; // backToPack can undo it
  newer: PackChange[]; // where the pack that came with an upgrade differs; takeShippedPack takes it
}

/** A file in which the pack that came with an upgrade differs from the one in use, which was edited. */
export interface PackChange {
  file: string;
  kind: 'new' | 'changed' | 'kept'; // kept: it was edited here too, and stays as it is
  text: Text; // what it is
}

/** What /check sees of the kiosk. */
export interface CheckView {
  step: string; // as checkBox sent it
  number: number; // on the projector in step "projector"
  stages: number; // projector pages that are open
  buttons: { name: string; label: Text }[]; // to press
  pressed: string[]; // names
  health: PartHealth[]; // the worst first
  classes: Record<string, Class>; // of a step that was not right, by its name
}

export interface VoteView extends Common {
  role: 'vote';
  scene: 'wait' | 'question' | 'thanks';
  question: Question | null;
  codes: Code[];
  help: HelpNumber[];
}

export type Level = 'ok' | 'note' | 'problem';

/** What a finding means for an evening that has not begun; advice, never a lock. */
export type Class = 'cannot_begin' | 'should_not_begin' | 'good_to_know';

/** One part's health; message and hint are sentences for the facilitator. */
export interface PartHealth {
  part: string; // film, clicker, journal, disk, clock, stage, ...
  level: Level;
  class?: Class; // of what is not ok
  message: Text;
  hint?: Text;
}

export interface FacilitatorView extends Common {
  role: 'facilitator';
  keys: string[];
  regencies: Regency[];
  next: Suggestion | null; // the one next thing to do
  doorsOpen: boolean;
  attendance: Attendance;
  questions: QuestionRow[];
  current: Question | null; // with its totals, always
  showRunning: boolean;
  noPhones: boolean; // phones may not vote
  stage: {
    page: 'auto' | 'guidebook' | 'help' | 'join';
    count: boolean;
    lang: string;
    scene: StageView['scene'];
    silent: boolean; // questions are not read aloud when they open
  };
  film: FilmInfo;
  playback: Playback;
  health: PartHealth[];
  screens: { stage: number; touch: number; vote: number; facilitator: number }; // connected now
  clock: { now: string; source: 'unset' | 'operator' | 'rtc' | 'synced' }; // now: ISO 8601 with offset
  codes: Code[];
  help: HelpNumber[];
  sticks: Stick[];
  pack: PackState;
  demo?: boolean; // a trial on a laptop: the clock's warning does not stand above the steps
  voice: boolean; // the kiosk can read aloud
  note: NoteList[]; // how the evening went; empty before the closing
}

/** One question about the evening that the facilitator may answer by tapping. */
export interface NoteList {
  id: 'went' | 'away' | 'why';
  title: Text;
  choices: { id: string; text: Text; icon: string }[];
  chosen: string[]; // ids
}

export interface Attendance {
  total: number;
  disability: number | null;
  categories: {
    id: string;
    label: Text;
    sex: string;
    age: string;
    total: number;
    pressed: number; // presses less undone ones
    corrected: number; // sum of corrections
    rows: number; // sum of rows counted by hand
  }[];
  rows: { row: string; counts: Record<string, number> }[];
  undo: string | null; // category that the facilitator's own undo would take back
  lastPress: { category: string; from: string } | null; // of any source
  doubts: Doubt[]; // the oldest first
}

/** Presses of the clicker that were lost, or (why is '') that are counted and may be phantoms. */
export interface Doubt {
  doubt: number; // for settleDoubt
  at: string; // ISO 8601 with offset
  presses: number; // 0: nobody can know
  category?: string;
  undo?: boolean; // they were of the undo button
  question?: Text; // they were answers to it
  why: '' | 'overrun' | 'full' | 'stopped' | 'unheard';
  unheard: number; // ms that nobody listened to the buttons
  correction: number; // what settleDoubt with correct adds to the category; 0: nothing can be corrected
}

export interface QuestionRow {
  id: string;
  kind: Question['kind'];
  text: Text;
  check?: Text; // what to verify before use
  prompts?: Text[]; // what the talk may turn on
  ask: Step[];
  phase: 'unasked' | Question['phase'];
  rounds: { n: number; step: Step; ballots: number }[];
  tooEarly?: boolean; // as in Question; prompts are left out
  untranslated?: string[]; // of Common.languages: those that lack a text of it, an option or its explanation
}

/** do and its fields are exactly a command; label is a key of the texts, "next.LABEL". */
export interface Suggestion {
  label:
    | 'plan'
    | 'open_doors'
    | 'to_poll_before'
    | 'open_question'
    | 'close_question'
    | 'show_results'
    | 'reveal_question'
    | 'dismiss_question'
    | 'to_film'
    | 'play_film'
    | 'resume_film'
    | 'film_running'
    | 'to_discussion'
    | 'to_closing'
    | 'end'
    | 'plan_again';
  command: CommandBody | null; // null: nothing to press (film_running), or a form to fill in (plan, plan_again)
  question?: string;
}

// ---- to the kiosk ----

/** screening: the one the sender had before it (Common.screening.id); the kiosk refuses the
 * command when another one is current, for a page may send what it kept on another evening.
 * connection.send adds it to every command except planScreening and setClock. */
export type ToKiosk = { id: string; screening?: string } & (CommandBody | PlayerReport | Ping);

/** answered by done; sent when the kiosk has been silent, to find a dead connection. */
export interface Ping {
  do: 'ping';
}

export interface Details {
  regency: string;
  venue: string;
  audience: 'students' | 'public';
  label: string;
  heldAt: string;
}

export type CommandBody =
  // vote and touch
  | { do: 'castBallot'; question: string; round: number; choices: string[] }
  // stage, touch and facilitator: a clicker button on the laptop's keyboard
  | { do: 'pressKey'; key: string }
  // touch: the guided check of the box, see PROTOCOL.md
  | { do: 'checkBox'; step: string }
  // touch and facilitator
  | { do: 'countAttendee'; category: string }
  | { do: 'undoCount' }
  // facilitator
  | { do: 'planScreening'; details: Details; rehearsal: boolean }
  | { do: 'editDetails'; details: Details }
  | { do: 'moveTo'; step: Step }
  | { do: 'openDoors' }
  | { do: 'closeDoors' }
  | { do: 'correctAttendance'; category: string; delta: number; reason: string }
  | { do: 'settleDoubt'; doubt: number; correct: boolean }
  | { do: 'countRow'; row: string; counts: Record<string, number> }
  | { do: 'recordDisability'; count: number | null }
  | { do: 'openQuestion'; question: string; newRound: boolean }
  | { do: 'closeQuestion'; question: string }
  | { do: 'showResults'; question: string }
  | { do: 'revealQuestion'; question: string }
  | { do: 'dismissQuestion' }
  | { do: 'countHands'; question: string; counts: Record<string, number> }
  | { do: 'showRunningTotals'; show: boolean }
  | { do: 'allowPhones'; allow: boolean }
  | {
      do: 'setStage';
      page: 'auto' | 'guidebook' | 'help' | 'join';
      count: boolean;
      lang: string;
      silent: boolean;
    }
  | { do: 'readAloud'; question: string }
  | { do: 'playFilm' }
  | { do: 'pauseFilm' }
  | { do: 'seekFilm'; to: number }
  | { do: 'setVolume'; percent: number }
  | { do: 'setSubtitles'; lang: string }
  | { do: 'usePausePoints'; use: boolean }
  | { do: 'setSoundLag'; lag: number }
  | { do: 'noteEvening'; went: string[]; away: string[]; why: string[] } // all that is noted now
  | { do: 'setClock'; now: string }
  | { do: 'copyToStick'; disk: string } // at once, whether the film runs or not
  | { do: 'logToStick'; disk: string }
  | { do: 'takePack'; disk: string; pack: string }
  | { do: 'backToPack' }
  | { do: 'takeShippedPack' };

/** stage only: what the browser player sees; sent every second while it plays and at each change. */
export interface PlayerReport {
  do: 'reportPlayer';
  epoch: number;
  state: 'loading' | 'ready' | 'playing' | 'paused' | 'ended' | 'blocked' | 'failed';
  at: number; // ms
  duration: number; // ms, 0 unknown
  pausePoint?: number; // set once, when it halted there by itself
  decodedFrames?: number;
  droppedFrames?: number;
  error?: string;
}
