-- +goose Up

-- Everything that ever happened, in order. Rows are only ever added.
CREATE TABLE events (
    seq       INTEGER PRIMARY KEY, -- 1, 2, 3, ... without gaps
    at        INTEGER NOT NULL,    -- wall clock, milliseconds since 1970 UTC; may be wrong, see clock
    boot      TEXT    NOT NULL,    -- id of the boot of the machine
    mono      INTEGER NOT NULL,    -- milliseconds since that boot
    clock     TEXT    NOT NULL,    -- how at is known: unset, operator, synced
    screening TEXT    NOT NULL,    -- '' before the first screening
    command   TEXT,                -- idempotency id; on the first event of a command only
    source    TEXT    NOT NULL,    -- touch, phone, keyboard, buttons, facilitator, player, kiosk
    kind      TEXT    NOT NULL,
    data      TEXT    NOT NULL CHECK (json_valid(data))
) STRICT;

CREATE UNIQUE INDEX events_command ON events (screening, command) WHERE command IS NOT NULL;

-- The few rare kinds by which a start and the views find their way among millions
-- of rows. The terms are joined by OR because SQLite then sees that kind = 'X' is
-- among them.
CREATE INDEX events_landmark ON events (kind, seq)
    WHERE kind = 'ScreeningPlanned' OR kind = 'KioskStarted' OR kind = 'ClockSet'
       OR kind = 'DetailsEdited' OR kind = 'StepChanged';
CREATE INDEX events_planned ON events (screening) WHERE kind = 'ScreeningPlanned';

-- +goose StatementBegin
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'the journal is never changed: record a correction in the program instead');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'nothing is ever deleted from the journal');
END;
-- +goose StatementEnd

-- One row that is overwritten to prove that a commit works.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
) STRICT;

-- Views for people with the sqlite3 shell. Times are in WITA (UTC+8), ISO 8601.
-- Rehearsals are marked in "screenings" (their attendance is NULL, so that sums are
-- right) and left out of "attendance" and "poll_results"; the views whose names
-- begin with "all_" hold them too.

-- A screening's events are those from its ScreeningPlanned up to the next one. The
-- views below join on that range; the + in "+e.kind" keeps SQLite from building an
-- index on kind instead, which would read every kind once per screening.
CREATE VIEW evenings AS
SELECT p.screening,
       coalesce(json_extract(p.data, '$.rehearsal'), 0) AS rehearsal,
       p.seq AS first_seq,
       coalesce((SELECT n.seq FROM events n
                 WHERE n.kind = 'ScreeningPlanned' AND n.seq > p.seq
                 ORDER BY n.seq LIMIT 1) - 1, 9223372036854775807) AS last_seq
FROM events p
WHERE p.kind = 'ScreeningPlanned';

CREATE VIEW all_attendance AS
WITH evening AS MATERIALIZED (SELECT * FROM evenings),
category AS (
    SELECT v.screening, v.rehearsal, c.key AS place,
           json_extract(c.value, '$.id') AS category,
           json_extract(c.value, '$.sex') AS sex,
           json_extract(c.value, '$.age') AS age
    FROM evening v
    JOIN events p ON p.seq = v.first_seq
    JOIN json_each(p.data, '$.programme.categories') c
),
counted AS (
    SELECT v.screening, json_extract(e.data, '$.category') AS category,
           sum(e.kind = 'AttendeeCounted') AS pressed,
           sum(e.kind = 'CountUndone') AS undone,
           sum(CASE WHEN e.kind = 'AttendanceCorrected' THEN json_extract(e.data, '$.delta') ELSE 0 END) AS corrected
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind IN ('AttendeeCounted', 'CountUndone', 'AttendanceCorrected')
    GROUP BY 1, 2
),
-- A row of seats counted again replaces its earlier numbers: of each row the event
-- with the highest seq stands (SQLite takes e.data from the row that has the max).
newest_row AS (
    SELECT v.screening, e.data, max(e.seq)
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'RowCounted'
    GROUP BY v.screening, json_extract(e.data, '$.row')
),
row_heads AS (
    SELECT r.screening, c.key AS category, sum(c.value) AS heads
    FROM newest_row r
    JOIN json_each(r.data, '$.counts') c
    GROUP BY 1, 2
)
SELECT k.screening, k.rehearsal, k.category, k.sex, k.age,
       coalesce(n.pressed, 0) AS pressed,
       coalesce(n.undone, 0) AS undone,
       coalesce(n.corrected, 0) AS corrected,
       coalesce(h.heads, 0) AS "rows",
       coalesce(n.pressed - n.undone + n.corrected, 0) + coalesce(h.heads, 0) AS net
FROM category k
LEFT JOIN counted n ON n.screening = k.screening AND n.category = k.category
LEFT JOIN row_heads h ON h.screening = k.screening AND h.category = k.category;

CREATE VIEW attendance AS
SELECT screening, category, sex, age, pressed, undone, corrected, "rows", net
FROM all_attendance
WHERE NOT rehearsal;

CREATE VIEW all_screenings AS
WITH evening AS (
    SELECT v.screening, v.rehearsal, v.first_seq, p.at, p.data,
           coalesce((SELECT json_extract(d.data, '$.details') FROM events d
                     WHERE d.kind = 'DetailsEdited' AND d.seq BETWEEN v.first_seq AND v.last_seq
                     ORDER BY d.seq DESC LIMIT 1),
                    json_extract(p.data, '$.details')) AS details,
           (SELECT CASE json_extract(s.data, '$.to') WHEN 'ended' THEN s.at END FROM events s
            WHERE s.kind = 'StepChanged' AND s.seq BETWEEN v.first_seq AND v.last_seq
            ORDER BY s.seq DESC LIMIT 1) AS ended
    FROM evenings v
    JOIN events p ON p.seq = v.first_seq
),
place AS (
    SELECT e.screening, json_extract(r.value, '$.name') AS name,
           json_extract(r.value, '$.kemendagri') AS kemendagri, json_extract(r.value, '$.bps') AS bps
    FROM evening e
    JOIN json_each(e.data, '$.programme.regencies') r
    WHERE json_extract(r.value, '$.id') = json_extract(e.details, '$.regency')
)
SELECT e.screening,
       e.rehearsal,
       strftime('%Y-%m-%dT%H:%M:%S+08:00', json_extract(e.details, '$.heldAt'), '+8 hours') AS held_at,
       strftime('%Y-%m-%dT%H:%M:%S+08:00', e.at / 1000, 'unixepoch', '+8 hours') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%S+08:00', e.ended / 1000, 'unixepoch', '+8 hours') AS ended_at,
       json_extract(e.details, '$.regency') AS regency_id,
       r.name AS regency,
       r.kemendagri AS kode_kemendagri,
       r.bps AS kode_bps,
       json_extract(e.details, '$.venue') AS venue,
       json_extract(e.details, '$.audience') AS audience,
       json_extract(e.details, '$.label') AS label,
       e.first_seq AS seq
FROM evening e
LEFT JOIN place r ON r.screening = e.screening
ORDER BY e.first_seq DESC;

CREATE VIEW screenings AS
SELECT s.screening, s.rehearsal, s.held_at, s.started_at, s.ended_at, s.regency_id, s.regency,
       s.kode_kemendagri, s.kode_bps, s.venue, s.audience, s.label, a.net AS attendance
FROM all_screenings s
LEFT JOIN (SELECT screening, sum(net) AS net FROM attendance GROUP BY screening) a ON a.screening = s.screening
ORDER BY s.seq DESC;

-- One row per option of each round of a question, and one "(skipped)". "ballots" and
-- the four channels are people (for raised hands: hands) on that row; round_ballots
-- is how many people answered or skipped in the round at all.
CREATE VIEW all_poll_results AS
WITH evening AS MATERIALIZED (SELECT * FROM evenings),
asked AS (
    SELECT v.screening, v.rehearsal, v.first_seq,
           json_extract(e.data, '$.question') AS question,
           json_extract(e.data, '$.round') AS round,
           min(e.seq) AS opened
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'QuestionOpened'
    GROUP BY v.screening, 4, 5
),
-- Of a phone (voter) that changed its mind the last ballot of the round stands.
ballot AS MATERIALIZED (
    SELECT v.screening,
           json_extract(e.data, '$.question') AS question,
           json_extract(e.data, '$.round') AS round,
           json_extract(e.data, '$.channel') AS channel,
           json_extract(e.data, '$.choices') AS choices,
           max(e.seq)
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'BallotCast'
    GROUP BY v.screening, 2, 3, coalesce(json_extract(e.data, '$.voter'), e.seq)
),
hands AS MATERIALIZED (
    SELECT v.screening,
           json_extract(e.data, '$.question') AS question,
           json_extract(e.data, '$.round') AS round,
           json_extract(e.data, '$.counts') AS counts,
           max(e.seq)
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'HandsCounted'
    GROUP BY v.screening, 2, 3
),
answer AS (
    SELECT b.screening, b.question, b.round, c.value AS option, b.channel, 1 AS n
    FROM ballot b JOIN json_each(b.choices) c
    UNION ALL
    SELECT screening, question, round, '(skipped)', channel, 1
    FROM ballot WHERE coalesce(json_array_length(choices), 0) = 0
    UNION ALL
    SELECT h.screening, h.question, h.round, c.key, 'hands', c.value
    FROM hands h JOIN json_each(h.counts) c
),
tally AS (
    SELECT screening, question, round, option, sum(n) AS ballots,
           sum(n * (channel = 'touch')) AS touch, sum(n * (channel = 'phone')) AS phone,
           sum(n * (channel = 'button')) AS button, sum(n * (channel = 'hands')) AS hands
    FROM answer GROUP BY 1, 2, 3, 4
),
voted AS (SELECT screening, question, round, count(*) AS n FROM ballot GROUP BY 1, 2, 3),
raised AS (
    SELECT h.screening, h.question, h.round, sum(c.value) AS one_each, max(c.value) AS most
    FROM hands h JOIN json_each(h.counts) c GROUP BY 1, 2, 3
),
line AS (
    SELECT a.*, json_extract(q.value, '$.kind') AS kind, o.key AS place, json_extract(o.value, '$.id') AS option
    FROM asked a
    JOIN events p ON p.seq = a.first_seq
    JOIN json_each(p.data, '$.programme.questions') q ON json_extract(q.value, '$.id') = a.question
    JOIN json_each(q.value, '$.options') o
    UNION ALL
    SELECT a.*, json_extract(q.value, '$.kind'), 99, '(skipped)'
    FROM asked a
    JOIN events p ON p.seq = a.first_seq
    JOIN json_each(p.data, '$.programme.questions') q ON json_extract(q.value, '$.id') = a.question
)
SELECT l.screening, l.rehearsal, l.question, l.round,
       coalesce((SELECT json_extract(s.data, '$.to') FROM events s
                 WHERE s.kind = 'StepChanged' AND s.seq BETWEEN l.first_seq AND l.opened
                 ORDER BY s.seq DESC LIMIT 1), 'set_up') AS step,
       l.option,
       coalesce(t.ballots, 0) AS ballots,
       coalesce(t.touch, 0) AS touch, coalesce(t.phone, 0) AS phone,
       coalesce(t.button, 0) AS button, coalesce(t.hands, 0) AS hands,
       coalesce(n.n, 0) + coalesce(CASE l.kind WHEN 'several' THEN r.most ELSE r.one_each END, 0) AS round_ballots
FROM line l
LEFT JOIN tally t ON t.screening = l.screening AND t.question = l.question AND t.round = l.round AND t.option = l.option
LEFT JOIN voted n ON n.screening = l.screening AND n.question = l.question AND n.round = l.round
LEFT JOIN raised r ON r.screening = l.screening AND r.question = l.question AND r.round = l.round
ORDER BY l.first_seq, l.opened, l.place;

CREATE VIEW poll_results AS
SELECT screening, question, round, step, option, ballots, touch, phone, button, hands, round_ballots
FROM all_poll_results
WHERE NOT rehearsal;
