// Example views, one for each face that a screen can have: for screenshots (shots.mjs)
// and for tests. The compiler holds them to the protocol.

import noted from '../../internal/web/testdata/protocol/from/facilitator-ended.json';
import type {
  CheckView,
  Code,
  Common,
  FacilitatorView,
  FilmInfo,
  HelpNumber,
  Mine,
  NoteList,
  Playback,
  Question,
  Regency,
  Round,
  ScreeningInfo,
  StageView,
  Stick,
  Text,
  TouchView,
  View,
  VoteView,
} from '../src/lib/protocol';

export interface Face {
  name: string;
  view: View;
  /** The page, where its name is not that of its role. */
  page?: string;
  mine?: Mine | null;
  /** data-testid of what is pressed, in order, before the picture is taken. */
  press?: string[];
  /** On the page for one screen: what its other half is sent. */
  touch?: TouchView;
  /** What addresses of the kiosk answer in place of the usual. */
  api?: Record<string, { status?: number; body: unknown }>;
}

/** What the clock of every phone and screen shows. */
export const now = '2026-11-24T19:12:00+08:00';

// ---- the evening

const regencies: Regency[] = [
  { id: 'kupang', name: 'Kabupaten Kupang', kemendagri: '53.01', bps: '5303' },
  { id: 'tts', name: 'Timor Tengah Selatan', kemendagri: '53.02', bps: '5304' },
  { id: 'belu', name: 'Belu', kemendagri: '53.04', bps: '5306' },
  { id: 'sbd', name: 'Sumba Barat Daya', kemendagri: '53.18', bps: '5317' },
  { id: 'sumba-barat', name: 'Sumba Barat', kemendagri: '53.12', bps: '5301' },
];

const screening: ScreeningInfo = {
  id: '0192f3c4a1',
  rehearsal: false,
  regency: regencies[1] as Regency,
  venue: 'Balai Desa Oinlasi',
  audience: 'public',
  label: 'Acara malam',
  heldAt: '2026-11-24T19:00:00+08:00',
};

const languages = [
  { code: 'id', name: 'Bahasa Indonesia' },
  { code: 'en', name: 'English' },
];

const film: FilmInfo = {
  title: { id: 'Mimpi Beta', en: 'My Dream' },
  credit: 'On Track Media Indonesia',
  missing: false,
  player: 'browser',
  subtitles: [
    { lang: 'id', label: 'Bahasa Indonesia' },
    { lang: 'en', label: 'English' },
  ],
  pausePoints: [
    {
      at: 312_000,
      note: {
        id: 'Tanya: apa yang bisa dilakukan tokoh cerita sekarang?',
        en: 'Ask: what could the person in the story do now?',
      },
    },
    { at: 815_000, question: 'k3' },
  ],
};
const noFilm: FilmInfo = { ...film, missing: true, subtitles: [], pausePoints: [] };

const stopped: Playback = {
  epoch: 1,
  playing: false,
  at: 0,
  duration: 1_500_000,
  volume: 80,
  subtitles: 'id',
  usePausePoints: true,
  finished: false,
  interrupted: false,
  soundLag: 0,
};

const codes: Code[] = [
  { name: 'wifi', caption: 'Mimpi Kiosk' },
  { name: 'vote', caption: '10.42.0.1/vote' },
  { name: 'guidebook-here', caption: '10.42.0.1/guidebook' },
  { name: 'guidebook-online', caption: 'example.org/panduan' },
  { name: 'help', caption: '0800-1000' },
];

const help: HelpNumber[] = [
  {
    name: {
      id: 'Kementerian Pelindungan Pekerja Migran Indonesia',
      en: 'Ministry for the Protection of Indonesian Migrant Workers',
    },
    tel: '0800-1000',
    checkedOn: '2026-11-20',
  },
  {
    name: { id: 'SAPA 129, untuk perempuan dan anak', en: 'SAPA 129, for women and children' },
    tel: '129',
    checkedOn: '2026-11-20',
  },
  {
    name: { id: 'Polisi', en: 'Police' },
    tel: '110',
    hours: { id: '24 jam, gratis', en: '24 hours, free' },
    checkedOn: '',
  },
];

// ---- questions

function option(id: string, indonesian: string, english: string, icon: string) {
  return { id, text: { id: indonesian, en: english }, icon };
}

const dontKnow = option('unknown', 'Belum tahu', "Don't know yet", 'question');

function ask(
  id: string,
  kind: Question['kind'],
  text: Text,
  options: Question['options'],
  ballots = 23,
): Question {
  return { id, kind, text, options, phase: 'open', round: 1, ballots };
}

const k1 = ask(
  'k1',
  'single',
  {
    id: 'Menurut undang-undang, umur paling muda untuk bekerja di luar negeri?',
    en: 'By law, what is the youngest age to work abroad?',
  },
  [
    option('15', '15 tahun', '15 years', 'number-15'),
    option('18', '18 tahun', '18 years', 'number-18'),
    option(
      'any',
      'Umur berapa pun, asal orang tua setuju',
      'Any age if parents agree',
      'parent-child',
    ),
    dontKnow,
  ],
);

const k4 = ask(
  'k4',
  'single',
  {
    id: 'Apakah perdagangan orang bisa terjadi di dalam Indonesia?',
    en: 'Can trafficking happen inside Indonesia?',
  },
  [
    option('yes', 'Ya, bisa', 'Yes', 'island'),
    option('no', 'Tidak, hanya di luar negeri', 'No, only abroad', 'airplane'),
    dontKnow,
  ],
);

const two = ask(
  'passport',
  'single',
  {
    id: 'Orang lain menahan paspor pekerja. Apakah ini tanda bahaya?',
    en: "Someone keeps a worker's passport. Is it a warning sign?",
  },
  [option('yes', 'Ya', 'Yes', 'warning'), option('no', 'Tidak', 'No', 'thumb-up')],
);

const scale = ask(
  'o3',
  'scale',
  {
    id: 'Seberapa penting mengerti isi kontrak sebelum berangkat?',
    en: 'How important is it to understand the contract before leaving?',
  },
  [
    option('very', 'Sangat penting', 'Very', 'star-3'),
    option('quite', 'Penting', 'Important', 'star-2'),
    option('less', 'Kurang penting', 'Less', 'star-1'),
    dontKnow,
  ],
);

const several = ask(
  'o4',
  'several',
  {
    id: 'Dalam sebuah cerita, seorang pekerja pulang tanpa uang. Sikap apa yang paling menolong?',
    en: 'In a story, a worker comes home without money. What helps most?',
  },
  [
    option('welcome', 'Menyambut dengan baik', 'A warm welcome', 'open-door'),
    option('private', 'Menjaga ceritanya tetap pribadi', 'Keeping it private', 'lock'),
    option(
      'where',
      'Memberi tahu tempat bantuan, kalau ia mau',
      'Saying where help is, if wanted',
      'hand-heart',
    ),
    option('time', 'Memberi waktu', 'Giving time', 'clock'),
  ],
);

const eight = ask(
  'where',
  'single',
  { id: 'Ke mana orang bisa bertanya lebih dulu?', en: 'Where can people ask first?' },
  [
    option('office', 'Kantor desa', 'The village office', 'village-office'),
    option('labour', 'Dinas tenaga kerja', 'The labour office', 'office'),
    option('family', 'Keluarga', 'The family', 'family'),
    option('phone', 'Nomor bantuan', 'A help number', 'phone'),
    option('recruiter', 'Perekrut', 'The recruiter', 'person-phone'),
    option('book', 'Buku panduan', 'The guidebook', 'book'),
    option('nobody', 'Tidak perlu bertanya', 'No need to ask', 'minus'),
    dontKnow,
  ],
);

const before: Round = {
  n: 1,
  step: 'poll_before',
  phase: 'before',
  ballots: 47,
  skipped: 3,
  counts: [11, 18, 9, 6],
  shares: [25, 41, 20, 14],
};
const after: Round = {
  n: 2,
  step: 'discussion',
  phase: 'after',
  ballots: 44,
  skipped: 1,
  counts: [2, 37, 3, 1],
  shares: [5, 86, 7, 2],
};
const few: Round = {
  n: 2,
  step: 'discussion',
  phase: 'after',
  ballots: 0,
  skipped: 0,
  fewerThan: 10,
};

function revealed(question: Question, rounds: Round[]): Question {
  const newest = rounds.at(-1);
  return {
    ...question,
    phase: 'revealed',
    round: newest?.n ?? 1,
    ballots: newest?.ballots ?? 0,
    rounds,
    options: question.options.map((o) => (o.id === '18' ? { ...o, right: true } : o)),
    explanation: {
      id: 'Paling muda 18 tahun. Kalau ada yang menyuruh mengubah umur di KTP, hati-hati.',
      en: 'At least 18. Be careful if anyone tells you to change the age on an ID card.',
    },
    source: 'UU 18/2017 Pasal 5',
  };
}

/** The bars are shown, the right answer is not. */
function counted(question: Question, rounds: Round[]): Question {
  const newest = rounds.at(-1);
  return { ...question, phase: 'counted', round: newest?.n ?? 1, ballots: 44, rounds };
}

// ---- the stage

function common<R extends Common['role']>(role: R, step: Common['step']) {
  return { role, screening, step, languages };
}

function stage(name: string, step: Common['step'], view: Partial<StageView>): Face {
  const whole: StageView = {
    ...common('stage', step),
    keys: ['1', '2', '3', '4', 'Backspace'],
    scene: 'between',
    lang: 'id',
    count: null,
    question: null,
    film,
    playback: stopped,
    codes,
    help,
    ...view,
  };
  return { name: `stage-${name}`, view: whole };
}

const stageFaces = [
  stage('before-setup', 'set_up', { scene: 'welcome', screening: null }),
  stage('welcome', 'doors', { scene: 'welcome', count: 47 }),
  stage('welcome-nobody', 'doors', { scene: 'welcome', count: 0 }),
  stage('rehearsal', 'doors', {
    scene: 'welcome',
    count: 1047,
    screening: { ...screening, rehearsal: true },
  }),
  stage('between', 'discussion', { scene: 'between' }),
  stage('between-poll', 'poll_before', { scene: 'between' }),
  stage('question-hidden', 'poll_before', { scene: 'question', question: k1 }),
  stage('question-buttons', 'poll_before', {
    scene: 'question',
    question: { ...k1, buttons: true },
  }),
  stage('question-no-phones', 'poll_before', {
    scene: 'question',
    question: { ...k1, noPhones: true },
  }),
  stage('question-two', 'discussion', { scene: 'question', question: two }),
  stage('question-three', 'discussion', { scene: 'question', question: k4 }),
  stage('question-several', 'discussion', { scene: 'question', question: several }),
  stage('question-english', 'discussion', { scene: 'question', question: several, lang: 'en' }),
  stage('counted', 'discussion', { scene: 'question', question: counted(k1, [before, after]) }),
  stage('counted-few', 'discussion', { scene: 'question', question: counted(k1, [few]) }),
  stage('question-live', 'discussion', {
    scene: 'question',
    question: { ...k1, rounds: [{ ...before, n: 1, step: 'discussion' }], ballots: 47 },
  }),
  stage('question-closed', 'discussion', {
    scene: 'question',
    question: { ...k1, phase: 'closed', ballots: 44 },
  }),
  stage('revealed-one', 'discussion', { scene: 'question', question: revealed(k1, [after]) }),
  stage('revealed-two', 'discussion', {
    scene: 'question',
    question: revealed(k1, [before, after]),
  }),
  stage('revealed-few', 'discussion', { scene: 'question', question: revealed(k1, [few]) }),
  stage('revealed-few-after', 'discussion', {
    scene: 'question',
    question: revealed(k1, [before, few]),
  }),
  stage('film', 'film', {
    scene: 'film',
    playback: { ...stopped, playing: true, at: 62_000, epoch: 3 },
  }),
  stage('film-waiting', 'film', { scene: 'film' }),
  stage('film-paused', 'film', { scene: 'film', playback: { ...stopped, at: 12_000 } }),
  stage('film-halted', 'film', {
    scene: 'film',
    playback: { ...stopped, at: 12_000, haltedAt: 0 },
  }),
  stage('film-interrupted', 'film', {
    scene: 'film',
    playback: { ...stopped, at: 12_000, interrupted: true },
  }),
  stage('film-finished', 'film', {
    scene: 'film',
    playback: { ...stopped, at: 30_000, finished: true },
  }),
  stage('film-missing', 'film', {
    scene: 'film',
    film: noFilm,
    playback: { ...stopped, duration: 0 },
  }),
  stage('guidebook', 'closing', { scene: 'guidebook' }),
  stage('help', 'closing', { scene: 'help' }),
  stage('help-english', 'closing', { scene: 'help', lang: 'en' }),
  stage('join', 'poll_before', { scene: 'join' }),
  stage('thanks', 'ended', { scene: 'thanks', count: 47 }),
];

const checkedNumber = stage('check', 'set_up', { scene: 'check', number: 7, screening: null });

// ---- the touch screen

const people = [
  {
    id: 'woman',
    label: { id: 'Perempuan dewasa', en: 'Woman' },
    sex: 'female',
    age: '18+',
    count: 18,
  },
  { id: 'man', label: { id: 'Laki-laki dewasa', en: 'Man' }, sex: 'male', age: '18+', count: 12 },
  {
    id: 'girl',
    label: { id: 'Anak perempuan', en: 'Girl' },
    sex: 'female',
    age: '0-17',
    count: 9,
  },
  { id: 'boy', label: { id: 'Anak laki-laki', en: 'Boy' }, sex: 'male', age: '0-17', count: 8 },
];

function touch(name: string, step: Common['step'], view: Partial<TouchView>): Face {
  const whole: TouchView = {
    ...common('touch', step),
    keys: ['1', '2', '3', '4', 'Backspace'],
    scene: 'rest',
    categories: people,
    total: 47,
    last: null,
    question: null,
    thankYou: 4000,
    voice: { volume: 80 },
    idle: 60_000,
    stick: null,
    ...view,
  };
  return { name: `touch-${name}`, view: whole };
}

const stick: Stick = {
  disk: 'sda',
  label: 'KIOS NTT',
  phase: 'copying',
  waitsFor: '',
  task: 'export',
  done: 14,
  all: 36,
  screenings: 36,
  written: 4,
  missing: 0,
  needMB: 0,
  why: '',
  safe: false,
  here: true,
  offers: [],
};
const safeStick: Stick = { ...stick, phase: 'safe', safe: true };
const fullStick: Stick = {
  ...stick,
  phase: 'trouble',
  why: 'full',
  safe: true,
  missing: 12,
  needMB: 9,
  message: {
    id: 'Stik USB penuh. Pemutaran terbaru sudah disalin.',
    en: 'The USB stick is full. The newest screenings were copied.',
  },
  hint: {
    id: 'Kosongkan stik di laptop dan pasang lagi, atau pakai stik lain.',
    en: 'Make room on the stick with a laptop and plug it in again, or use another stick.',
  },
};
const pulledStick: Stick = {
  ...stick,
  phase: 'trouble',
  why: 'pulled',
  here: false,
  message: {
    id: 'Stik USB dicabut sebelum selesai. Tidak ada yang hilang di kios.',
    en: 'The USB stick was taken out too early. Nothing is lost on the kiosk.',
  },
  hint: {
    id: 'Pasang lagi: penyalinan akan diselesaikan.',
    en: 'Plug it in again: the copying will be finished.',
  },
};

const protectedStick: Stick = {
  ...stick,
  phase: 'trouble',
  why: 'protected',
  safe: true,
  screenings: 0,
  written: 0,
  message: {
    id: 'Stik USB ini tidak bisa ditulisi.',
    en: 'This USB stick cannot be written to.',
  },
  hint: {
    id: 'Geser sakelar kunci di stik kalau ada, atau pakai stik lain.',
    en: 'Move the lock switch on the stick if it has one, or use another stick.',
  },
};
const waitingStick: Stick = { ...stick, phase: 'waiting', waitsFor: 'film', done: 0 };
const weakStick: Stick = { ...waitingStick, waitsFor: 'power', done: 3 };

const touchFaces = [
  touch('stick-copying', 'closing', { stick }),
  touch('stick-plugged', 'closing', { stick: { ...stick, phase: 'plugged', done: 0, all: 0 } }),
  touch('stick-waiting', 'film', { scene: 'rest', stick: waitingStick }),
  touch('stick-power', 'closing', { stick: weakStick }),
  touch('stick-safe', 'ended', { scene: 'thanks', stick: safeStick }),
  touch('stick-protected', 'ended', { scene: 'thanks', stick: protectedStick }),
  touch('stick-full', 'ended', { scene: 'thanks', stick: fullStick }),
  touch('stick-pulled', 'ended', { stick: pulledStick }),
  touch('stick-doors', 'doors', { scene: 'doors', last: 'woman', stick }),
  touch('before-setup', 'set_up', { scene: 'rest', screening: null, total: 0 }),
  touch('rest', 'film', { scene: 'rest' }),
  touch('doors', 'doors', { scene: 'doors', last: 'woman' }),
  touch('doors-nobody', 'doors', {
    scene: 'doors',
    total: 0,
    categories: people.map((c) => ({ ...c, count: 0 })),
  }),
  touch('question-2', 'discussion', { scene: 'question', question: two }),
  touch('question-3', 'discussion', { scene: 'question', question: k4 }),
  touch('question-buttons', 'poll_before', {
    scene: 'question',
    question: { ...k1, buttons: true },
  }),
  touch('question-buttons-3', 'discussion', {
    scene: 'question',
    question: { ...k4, buttons: true },
  }),
  touch('question-4', 'poll_before', { scene: 'question', question: k1 }),
  touch('several', 'discussion', { scene: 'question', question: several }),
  touch('question-8', 'discussion', { scene: 'question', question: eight }),
  touch('running', 'discussion', {
    scene: 'question',
    question: { ...k1, rounds: [before] },
  }),
  touch('rehearsal', 'poll_before', {
    scene: 'question',
    question: k1,
    screening: { ...screening, rehearsal: true },
  }),
  touch('scale', 'discussion', { scene: 'question', question: scale }),
  touch('closed', 'discussion', { scene: 'question', question: { ...k1, phase: 'closed' } }),
  touch('counted', 'discussion', { scene: 'question', question: counted(k1, [before, after]) }),
  touch('revealed', 'discussion', { scene: 'question', question: revealed(k1, [before, after]) }),
  touch('thanks', 'ended', { scene: 'thanks' }),
];

// ---- the phones

function vote(
  name: string,
  step: Common['step'],
  view: Partial<VoteView>,
  mine: Mine | null = null,
): Face {
  const whole: VoteView = {
    ...common('vote', step),
    scene: 'wait',
    question: null,
    codes,
    help,
    ...view,
  };
  return { name: `vote-${name}`, view: whole, mine };
}

const mine: Mine = { question: 'k1', round: 1, choices: ['18'] };

const voteFaces = [
  vote('wait', 'doors', {}),
  vote('question', 'poll_before', { scene: 'question', question: k1 }),
  vote('mine', 'poll_before', { scene: 'question', question: k1 }, mine),
  vote('skipped', 'poll_before', { scene: 'question', question: k1 }, { ...mine, choices: [] }),
  vote('several', 'discussion', { scene: 'question', question: several }),
  vote('scale', 'discussion', { scene: 'question', question: scale }),
  vote('no-phones', 'poll_before', { scene: 'question', question: { ...k1, noPhones: true } }),
  vote('closed', 'poll_before', { scene: 'question', question: { ...k1, phase: 'closed' } }, mine),
  vote('counted', 'discussion', { scene: 'question', question: counted(k1, [before, after]) }),
  vote(
    'revealed',
    'discussion',
    { scene: 'question', question: revealed(k1, [before, after]) },
    { ...mine, round: 2 },
  ),
  vote('thanks', 'ended', { scene: 'thanks' }),
  vote('rehearsal', 'poll_before', {
    scene: 'question',
    question: k1,
    screening: { ...screening, rehearsal: true },
  }),
];

// ---- the facilitator

const questions: FacilitatorView['questions'] = [
  {
    id: 'k1',
    kind: 'single',
    text: k1.text,
    ask: ['poll_before', 'discussion'],
    phase: 'unasked',
    rounds: [{ n: 1, step: 'poll_before', ballots: 47 }],
  },
  {
    id: 'k4',
    kind: 'single',
    text: k4.text,
    ask: ['poll_before', 'discussion'],
    phase: 'unasked',
    rounds: [],
    untranslated: ['en'],
  },
  {
    id: 'k5',
    kind: 'single',
    text: {
      id: 'Menurut undang-undang, bolehkah pekerja dibebani biaya penempatan?',
      en: 'By law, may a worker be charged placement costs?',
    },
    check: {
      id: 'Tanyakan dulu ke BP3MI: aturan biaya sedang diperbarui.',
      en: 'Ask BP3MI first: the rule on costs is being revised.',
    },
    ask: ['poll_before', 'discussion'],
    phase: 'unasked',
    rounds: [],
  },
  {
    id: 'o3',
    kind: 'scale',
    text: scale.text,
    ask: ['poll_before', 'discussion'],
    phase: 'unasked',
    rounds: [],
  },
  {
    id: 'o4',
    kind: 'several',
    text: several.text,
    ask: ['discussion'],
    phase: 'unasked',
    rounds: [],
  },
];

const attendance: FacilitatorView['attendance'] = {
  total: 47,
  disability: 2,
  categories: people.map(({ id, label, sex, age, count }) => ({
    id,
    label,
    sex,
    age,
    total: count,
    pressed: count,
    corrected: 0,
    rows: 0,
  })),
  rows: [],
  undo: null,
  lastPress: { category: 'woman', from: 'buttons' },
  doubts: [],
};

const health: FacilitatorView['health'] = [
  { part: 'film', level: 'ok', message: { id: 'Film siap.', en: 'The film is ready.' } },
  { part: 'clicker', level: 'ok', message: { id: 'Tombol siap.', en: 'The buttons are ready.' } },
  { part: 'disk', level: 'ok', message: { id: 'Masih ada 21 GB.', en: '21 GB are free.' } },
  {
    part: 'clock',
    level: 'ok',
    message: { id: 'Jam sudah diatur.', en: 'The clock has been set.' },
  },
];

const note = noted.view.note as NoteList[]; // the lists are the kiosk's

function facilitator(
  name: string,
  step: Common['step'],
  view: Partial<FacilitatorView>,
  press: string[] = [],
): Face {
  const whole: FacilitatorView = {
    ...common('facilitator', step),
    keys: ['1', '2', '3', '4', 'Backspace'],
    regencies,
    next: null,
    doorsOpen: false,
    attendance,
    questions,
    current: null,
    showRunning: false,
    noPhones: false,
    stage: { page: 'auto', count: true, lang: 'id', scene: 'between', silent: false },
    film,
    playback: stopped,
    health,
    screens: { stage: 1, touch: 1, vote: 12, facilitator: 1 },
    clock: { now, source: 'operator' },
    codes,
    help,
    sticks: [],
    pack: { title: film.title, waits: false, back: false, newer: [] },
    voice: true,
    note: step === 'closing' || step === 'ended' ? note : [],
    ...view,
  };
  return { name: `facilitator-${name}`, view: whole, press };
}

function signInFace(name: string, found: object, press: string[] = []): Face {
  const nothing = { pinSet: false, signedIn: false, maySetPin: false, lockedSeconds: 0 };
  const face = facilitator(`sign-in-${name}`, 'set_up', {}, press);
  return { ...face, api: { '/api/sign-in': { body: { ...nothing, ...found } } } };
}

const toPoll: FacilitatorView['next'] = {
  label: 'to_poll_before',
  command: { do: 'moveTo', step: 'poll_before' },
};

const nobody: FacilitatorView['attendance'] = {
  ...attendance,
  total: 0,
  disability: null,
  categories: attendance.categories.map((c) => ({ ...c, total: 0, pressed: 0 })),
  lastPress: null,
};

const byRow: FacilitatorView['attendance'] = {
  ...attendance,
  total: 84,
  undo: 'woman',
  categories: attendance.categories.map((c, i) => ({
    ...c,
    rows: i < 2 ? 20 : 0,
    corrected: i === 0 ? -3 : 0,
    total: c.pressed + (i < 2 ? 20 : 0) - (i === 0 ? 3 : 0),
  })),
  rows: [{ row: '1', counts: { woman: 20, man: 20 } }],
};

const doubts: FacilitatorView['attendance']['doubts'] = [
  { doubt: 41, at: now, presses: 3, category: 'woman', why: 'overrun', unheard: 0, correction: 3 },
  { doubt: 44, at: now, presses: 0, why: 'unheard', unheard: 95_000, correction: 0 },
  { doubt: 47, at: now, presses: 2, category: 'girl', why: '', unheard: 0, correction: -2 },
];

const stuckButton: FacilitatorView['health'][number] = {
  part: 'buttons',
  level: 'problem',
  message: {
    id: 'Tombol tertekan terus: Laki-laki dewasa. Tombol itu tidak menghitung; yang lain jalan.',
    en: 'A button is held down all the time: Man. It does not count; the others do.',
  },
  hint: {
    id: 'Lepaskan tombolnya. Kalau macet, cabut kabelnya dan hitung dengan layar sentuh.',
    en: 'Release the button. If it is stuck, pull out its cable and count on the touch screen.',
  },
};

const unready: FacilitatorView['health'] = [
  {
    part: 'pack_places',
    level: 'problem',
    class: 'should_not_begin',
    message: {
      id: 'Tempat di paket yang masih harus diisi: 12 (pack.toml:5, pack.toml:6, film/film.toml:4, ...).',
      en: 'Places in the pack still to be filled in: 12 (pack.toml:5, pack.toml:6, film/film.toml:4, ...).',
    },
    hint: {
      id: 'Layar akan menunjukkan "ISI: ..." kepada penonton. Ganti kata-kata itu.',
      en: 'The screens would show "ISI: ..." to the audience. Replace those words.',
    },
  },
  {
    part: 'guidebook',
    level: 'note',
    class: 'good_to_know',
    message: { id: 'Paket belum punya buku panduan.', en: 'The pack has no guidebook yet.' },
    hint: { id: 'Simpan PDF di folder paket.', en: 'Put a PDF into the folder of the pack.' },
  },
];

const facilitatorFaces = [
  facilitator('not-ready', 'set_up', {
    screening: null,
    attendance: nobody,
    next: { label: 'plan', command: null },
    clock: { now, source: 'synced' },
    health: [...unready, ...health],
  }),
  facilitator('ready-notes', 'set_up', {
    screening: null,
    attendance: nobody,
    next: { label: 'plan', command: null },
    clock: { now, source: 'synced' },
    health: [...unready.slice(1), ...health],
  }),
  facilitator('set-up', 'set_up', {
    screening: null,
    attendance: nobody,
    next: { label: 'plan', command: null },
    clock: { now: '2026-01-01T00:04:00+08:00', source: 'unset' },
  }),
  facilitator('planned', 'set_up', {
    attendance: nobody,
    next: { label: 'open_doors', command: { do: 'openDoors' } },
  }),
  facilitator('doors', 'doors', {
    doorsOpen: true,
    next: { label: 'to_poll_before', command: { do: 'moveTo', step: 'poll_before' } },
    attendance: byRow,
    stage: { page: 'auto', count: true, lang: 'id', scene: 'welcome', silent: false },
  }),
  facilitator('doubts', 'doors', {
    doorsOpen: true,
    next: { label: 'to_poll_before', command: { do: 'moveTo', step: 'poll_before' } },
    attendance: { ...attendance, doubts },
    health: [stuckButton, ...health.filter(({ part }) => part !== 'clicker')],
    stage: { page: 'auto', count: true, lang: 'id', scene: 'welcome', silent: false },
  }),
  facilitator('poll-closed', 'poll_before', {
    current: { ...k1, phase: 'closed', ballots: 47, tooEarly: true },
    questions: questions.map((q) =>
      q.id === 'k1' ? { ...q, phase: 'closed', tooEarly: true } : { ...q, tooEarly: true },
    ),
    next: {
      label: 'open_question',
      command: { do: 'openQuestion', question: 'k4', newRound: false },
      question: 'k4',
    },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'question', silent: false },
  }),
  facilitator('counted', 'discussion', {
    current: counted(k1, [before, after]),
    questions: questions.map((q) => (q.id === 'k1' ? { ...q, phase: 'counted' } : q)),
    next: {
      label: 'reveal_question',
      command: { do: 'revealQuestion', question: 'k1' },
      question: 'k1',
    },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'question', silent: false },
  }),
  facilitator('poll-open', 'poll_before', {
    current: { ...k1, tooEarly: true },
    questions: questions.map((q) => (q.id === 'k1' ? { ...q, phase: 'open' } : q)),
    next: {
      label: 'close_question',
      command: { do: 'closeQuestion', question: 'k1' },
      question: 'k1',
    },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'question', silent: false },
  }),
  facilitator('stuffed', 'poll_before', {
    next: {
      label: 'close_question',
      command: { do: 'closeQuestion', question: 'k1' },
      question: 'k1',
    },
    current: { ...k1, ballots: 131, byChannel: { touch: 12, phone: 119 }, oneAddress: 16 },
    noPhones: true,
  }),
  facilitator('film-ready', 'film', { next: { label: 'play_film', command: { do: 'playFilm' } } }),
  facilitator('film-playing', 'film', {
    playback: { ...stopped, playing: true, at: 421_000, epoch: 4 },
    next: { label: 'film_running', command: null },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'film', silent: false },
  }),
  facilitator(
    'film-mpv',
    'film',
    {
      playback: { ...stopped, playing: true, at: 421_000, epoch: 4, soundLag: 280 },
      film: { ...film, player: 'mpv' },
      next: { label: 'film_running', command: null },
      stage: { page: 'auto', count: false, lang: 'id', scene: 'film', silent: false },
      health: [
        ...health,
        {
          part: 'film_picture',
          level: 'ok',
          message: {
            id: 'Gambar film: h264, v4l2m2m-copy; hilang 3, terlambat 12.',
            en: 'Picture of the film: h264, v4l2m2m-copy; 3 lost, 12 late.',
          },
        },
      ],
    },
    ['fold-lag'],
  ),
  facilitator('film-halted', 'film', {
    playback: { ...stopped, at: 312_000, epoch: 5, haltedAt: 0 },
    next: { label: 'resume_film', command: { do: 'playFilm' } },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'film', silent: false },
  }),
  facilitator('film-interrupted', 'film', {
    playback: { ...stopped, at: 702_000, epoch: 6, interrupted: true },
    next: { label: 'resume_film', command: { do: 'playFilm' } },
  }),
  facilitator('discussion', 'discussion', {
    current: revealed(k1, [before, after]),
    questions: questions.map((q) =>
      q.id === 'k1'
        ? {
            ...q,
            phase: 'revealed',
            rounds: [...q.rounds, { n: 2, step: 'discussion', ballots: 44 }],
          }
        : q,
    ),
    playback: { ...stopped, at: 1_500_000, finished: true },
    next: { label: 'dismiss_question', command: { do: 'dismissQuestion' } },
    stage: { page: 'auto', count: false, lang: 'id', scene: 'question', silent: false },
  }),
  facilitator('closing', 'closing', {
    next: { label: 'end', command: { do: 'moveTo', step: 'ended' } },
    stage: { page: 'help', count: false, lang: 'id', scene: 'help', silent: false },
  }),
  facilitator('problems', 'doors', {
    doorsOpen: true,
    film: noFilm,
    next: { label: 'to_poll_before', command: { do: 'moveTo', step: 'poll_before' } },
    screens: { stage: 0, touch: 1, vote: 0, facilitator: 1 },
    clock: { now: '2026-01-01T00:04:00+08:00', source: 'unset' },
    health: [
      {
        part: 'film',
        level: 'problem',
        class: 'should_not_begin',
        message: { id: 'Film tidak ditemukan.', en: 'The film was not found.' },
        hint: {
          id: 'Pasang stik USB yang berisi film, lalu tunggu satu menit.',
          en: 'Plug in the USB stick with the film and wait a minute.',
        },
      },
      {
        part: 'clicker',
        level: 'problem',
        message: { id: 'Kotak tombol tidak tersambung.', en: 'The button box is unplugged.' },
        hint: {
          id: 'Periksa kabelnya. Sementara itu, hitung di layar sentuh.',
          en: 'Check its cable. Meanwhile count on the touch screen.',
        },
      },
      {
        part: 'disk',
        level: 'note',
        message: { id: 'Tempat di disk tinggal 300 MB.', en: 'Only 300 MB are left on the disk.' },
        hint: {
          id: 'Cukup untuk malam ini. Minta koordinator mengosongkannya.',
          en: 'Enough for tonight. Ask the coordinator to make room.',
        },
      },
    ],
  }),
  facilitator('note', 'closing', { next: { label: 'end', command: null } }, [
    'tab-projector',
    'fold-note-away',
    'fold-note-why',
  ]),
  facilitator('ended', 'ended', { next: { label: 'plan_again', command: null } }),
  facilitator('stick-safe', 'ended', {
    next: { label: 'plan_again', command: null },
    sticks: [
      {
        ...safeStick,
        offers: [
          {
            name: 'mimpi-beta-2',
            title: { id: 'Mimpi Beta: pertanyaan baru', en: 'My Dream: new questions' },
            film: true,
            signed: true,
            mb: 812,
            same: false,
          },
          {
            name: 'rusak',
            title: { id: 'Paket lain', en: 'Another pack' },
            film: false,
            signed: false,
            mb: 1,
            same: false,
            no: {
              id: 'k1.toml rusak atau berubah: tidak cocok dengan SHA256SUMS.',
              en: 'k1.toml is damaged or was changed: it does not match SHA256SUMS.',
            },
          },
        ],
      },
    ],
    pack: {
      title: film.title,
      waits: true,
      back: true,
      newer: [
        {
          file: 'questions/k3.toml',
          kind: 'changed',
          text: {
            id: 'pertanyaan k3 (Mana yang wajib ada?)',
            en: 'questions k3 (What must be there?)',
          },
        },
        {
          file: 'pack.toml',
          kind: 'kept',
          text: { id: 'daftar pertanyaan', en: 'list of questions' },
        },
      ],
    },
  }),
  facilitator('stick-waiting', 'set_up', {
    sticks: [waitingStick],
  }),
  facilitator('stick-power', 'closing', { sticks: [weakStick] }),
  facilitator('stick-pulled', 'closing', { sticks: [pulledStick] }),
  facilitator('stick-protected', 'ended', {
    next: { label: 'plan_again', command: null },
    sticks: [protectedStick],
  }),
  facilitator('stick-full', 'ended', {
    next: { label: 'plan_again', command: null },
    sticks: [fullStick],
  }),
  facilitator('plan', 'set_up', { screening: null, next: { label: 'plan', command: null } }, [
    'next',
    'audience-public',
    'save-details',
  ]),
  facilitator(
    'rehearsal',
    'film',
    {
      screening: { ...screening, rehearsal: true },
      next: { label: 'play_film', command: { do: 'playFilm' } },
    },
    ['step-discussion'],
  ),
  facilitator('rows', 'doors', { doorsOpen: true, attendance: byRow, next: toPoll }, [
    'tab-people',
    'fold-rows',
    'fold-correct',
    'fold-disability',
  ]),
  facilitator('poll-list', 'poll_before', { next: { label: 'to_film', command: null } }, [
    'tab-questions',
    'group-others',
  ]),
  facilitator(
    'hands',
    'discussion',
    {
      current: { ...k1, phase: 'closed', rounds: [before, { ...after, skipped: 0 }] },
      next: { label: 'reveal_question', command: null, question: 'k1' },
    },
    ['tab-questions', 'fold-hands'],
  ),
  facilitator('points', 'film', { next: { label: 'play_film', command: { do: 'playFilm' } } }, [
    'tab-film',
    'fold-points',
  ]),
  facilitator(
    'clock-ask',
    'set_up',
    { next: null, clock: { now: '2017-03-01T00:04:00+08:00', source: 'operator' } },
    ['clock-open', 'clock-set'],
  ),
  facilitator('past', 'closing', { next: { label: 'end', command: null } }, [
    'tab-kiosk',
    'fold-past',
    'fold-guide',
  ]),
  signInFace('pin', { pinSet: true }),
  signInFace('pictures', { pinSet: true }, ['pin-face', 'pin-2', 'pin-5', 'pin-8']),
  signInFace('locked', { pinSet: true, lockedSeconds: 45 }),
  signInFace('first', { maySetPin: true }, ['pin-2', 'pin-5', 'pin-8']),
  signInFace('elsewhere', {}),
];

const of = (name: string): View => {
  const face = [...stageFaces, ...touchFaces].find((f) => f.name === name);
  if (!face) throw new Error(`no face ${name}`);
  return face.view;
};
const single = (name: string, stage: string, touch: string, press?: string[]): Face => ({
  name: `single-${name}`,
  view: of(`stage-${stage}`),
  touch: of(`touch-${touch}`) as TouchView,
  ...(press && { press }),
});
/** The page for one screen, /single. */
export const singleFaces: Face[] = [
  single('doors', 'welcome', 'doors'),
  single('doors-by-hand', 'welcome', 'doors', ['single-change']),
  single('question', 'question-two', 'question-2'),
  single('revealed', 'revealed-two', 'rest'),
  single('film', 'film', 'rest'),
  single('film-by-hand', 'film', 'rest', ['single-change']),
  single('join', 'join', 'doors'),
];

// ---- the guided check of the box, which the touch screen leads to

const check: CheckView = {
  step: 'sound',
  number: 7,
  stages: 1,
  buttons: [
    ...people.map(({ id, label }) => ({ name: `line ${id}`, label })),
    { name: 'line undo', label: { id: 'Batalkan', en: 'Undo' } },
  ],
  pressed: ['line woman', 'line girl'],
  health: health.filter(({ level }) => level === 'ok'),
  classes: {
    sound: 'should_not_begin',
    projector: 'should_not_begin',
    buttons: 'good_to_know',
    touch: 'good_to_know',
  },
};

function checkBox(name: string, press: string[], view: Partial<CheckView> = {}): Face {
  const { view: rest } = touch('check', 'set_up', { screening: null, total: 0 });
  return {
    name: `check-${name}`,
    page: 'check',
    view: { ...(rest as TouchView), check: { ...check, ...view } },
    press,
  };
}

const everything = check.buttons.map(({ name }) => name);
const corners = ['top-left', 'top-right', 'bottom-left', 'bottom-right'];
const checkFaces = [
  checkedNumber,
  checkBox('start', []),
  checkBox('sound', ['begin']),
  checkBox('projector', ['begin', 'good']),
  checkBox('projector-none', ['begin', 'good'], { stages: 0 }),
  checkBox('buttons', ['begin', 'good', 'good']),
  checkBox('buttons-all', ['begin', 'good', 'good'], { pressed: everything }),
  checkBox('corners', ['begin', 'good', 'good', 'bad', 'top-left', 'bottom-right']),
  checkBox('ready', ['begin', 'good', 'good', 'good', ...corners, 'result'], {
    pressed: everything,
  }),
  checkBox('ready-notes', ['begin', 'good', 'good', 'good', ...corners, 'result'], {
    pressed: everything,
    health: [
      {
        part: 'clock',
        level: 'note',
        message: { id: 'Jam kotak belum pasti.', en: 'The clock of the box is not certain.' },
        hint: { id: 'Setel jam dari ponsel.', en: 'Set the clock from a phone.' },
      },
    ],
  }),
  checkBox('cannot-begin', ['begin', 'good', 'good', 'good', ...corners, 'result'], {
    pressed: everything,
    health: [
      {
        part: 'pin_set',
        level: 'problem',
        class: 'cannot_begin',
        message: {
          id: 'PIN fasilitator belum dibuat.',
          en: "The facilitator's PIN is not set yet.",
        },
        hint: {
          id: 'Buka layar fasilitator di kotak ini dan buat PIN.',
          en: "Open the facilitator's screen on this box and set a PIN.",
        },
      },
    ],
  }),
  checkBox('not-ready', ['begin', 'bad', 'bad', 'bad', 'bad'], { health }),
  {
    ...checkBox('goes-on', []),
    view: touch('check', 'doors', {}).view,
  },
];

export const faces: Face[] = [
  ...stageFaces,
  ...touchFaces,
  ...checkFaces,
  ...voteFaces,
  ...facilitatorFaces,
];

// ---- what /api answers to the pages in the screenshots

export const signIn = { pinSet: true, signedIn: true, maySetPin: false, lockedSeconds: 0 };

export const screenings = [
  {
    id: screening.id,
    heldAt: screening.heldAt,
    venue: screening.venue,
    regency: screening.regency.name,
    rehearsal: false,
    total: 47,
    ended: true,
  },
  {
    id: '0192e001bb',
    heldAt: '2026-11-23T10:00:00+08:00',
    venue: 'SMP Negeri 1 Amanuban',
    regency: screening.regency.name,
    rehearsal: true,
    total: 5,
    ended: true,
  },
];

export const summary = {
  screening: {
    ...screening,
    startedAt: '2026-11-24T18:41:00+08:00',
    endedAt: '2026-11-24T20:55:00+08:00',
  },
  attendance,
  shown: attendance.categories.map(({ label, total }) => ({ labels: [label], total })),
  questions: [
    {
      ...revealed(k1, [before, after]),
      byChannel: { touch: 31, phone: 42, button: 0, hands: 18 },
    },
    {
      ...several,
      rounds: [few],
      byChannel: { touch: 5, phone: 2, button: 0, hands: 0 },
    },
  ],
  film: { title: film.title, finished: true, at: 1_500_000, duration: 1_500_000 },
  note: note.map(({ title, choices, chosen }) => ({
    title,
    said: choices.flatMap(({ id, text }) => (chosen.includes(id) ? [text] : [])),
  })),
};

/** The page for recording: /api/voices. */
export const spoken = [...languages, { code: 'aoz', name: 'Uab Meto' }];

/** /api/voices/LANG. */
export const voices = [k1, several].flatMap((question, i) => [
  { key: `questions.${question.id}.text`, text: question.text, state: i === 0 ? 'current' : '' },
  ...question.options.map((o, n) => ({
    key: `questions.${question.id}.options.${o.id}`,
    text: o.text,
    state: ['current', 'outdated', 'pack', ''][n % 4],
  })),
]);
