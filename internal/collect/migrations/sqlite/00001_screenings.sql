-- +goose Up
CREATE TABLE screenings (
    session_id      text PRIMARY KEY,
    device_id       text NOT NULL,
    rehearsal       boolean NOT NULL,
    programme       text NOT NULL,
    film_id         text NOT NULL,
    film_title      text NOT NULL,
    film_finished   boolean NOT NULL,
    held_at         text,
    started_at      text,
    ended_at        text,
    clock_source    text NOT NULL,
    kode_kemendagri text NOT NULL,
    kode_bps        text NOT NULL,
    pcode           text NOT NULL,
    kabupaten       text NOT NULL,
    venue           text NOT NULL,
    audience        text NOT NULL,
    notes           text NOT NULL,
    data_quality    text NOT NULL,
    app_version     text NOT NULL,
    people          integer NOT NULL,
    disability      integer,
    signing_key     text NOT NULL,
    last_event      bigint NOT NULL,
    digest          text NOT NULL,
    trail           text NOT NULL -- tells another history under the same id
);
CREATE INDEX screenings_by_regency ON screenings (kode_kemendagri);

CREATE TABLE attendance (
    session_id  text NOT NULL REFERENCES screenings ON DELETE CASCADE,
    category    text NOT NULL,
    label       text NOT NULL,
    sex         text NOT NULL,
    age_group   text NOT NULL,
    count_in    integer NOT NULL,
    count_out   integer NOT NULL,
    corrections integer NOT NULL,
    net_count   integer NOT NULL,
    PRIMARY KEY (session_id, category)
);

CREATE TABLE poll_rounds (
    session_id    text NOT NULL REFERENCES screenings ON DELETE CASCADE,
    question      text NOT NULL,
    round         integer NOT NULL,
    question_text text NOT NULL,
    step          text NOT NULL,
    before_film   boolean NOT NULL,
    answered      integer NOT NULL,
    skipped       integer NOT NULL,
    by_touch      integer NOT NULL,
    by_phone      integer NOT NULL,
    by_button     integer NOT NULL,
    by_hands      integer NOT NULL,
    PRIMARY KEY (session_id, question, round)
);

CREATE TABLE poll_answers (
    session_id    text NOT NULL REFERENCES screenings ON DELETE CASCADE,
    question      text NOT NULL,
    round         integer NOT NULL,
    "option"      text NOT NULL,
    place         integer NOT NULL,
    option_text   text NOT NULL,
    is_right      boolean NOT NULL,
    people        integer NOT NULL,
    raised_hands  integer NOT NULL,
    PRIMARY KEY (session_id, question, round, "option"),
    FOREIGN KEY (session_id, question, round) REFERENCES poll_rounds ON DELETE CASCADE
);

CREATE VIEW attendance_by_regency AS
SELECT s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group,
       count(DISTINCT s.session_id) AS screenings, sum(a.net_count) AS people
FROM screenings s JOIN attendance a USING (session_id)
WHERE NOT s.rehearsal
GROUP BY s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group;

-- Of groups in which fewer than ten people answered nothing is shown. Those who answered
-- before and after are not matched.
CREATE VIEW poll_results AS
SELECT s.programme, r.question, r.question_text, r.before_film, a."option", a.option_text, a.is_right,
       count(DISTINCT s.session_id) AS screenings, sum(r.answered) AS answered, sum(a.people) AS people
FROM screenings s JOIN poll_rounds r USING (session_id) JOIN poll_answers a USING (session_id, question, round)
WHERE NOT s.rehearsal
GROUP BY s.programme, r.question, r.question_text, r.before_film, a."option", a.option_text, a.is_right
HAVING sum(r.answered) >= 10;

-- +goose Down
DROP VIEW poll_results;
DROP VIEW attendance_by_regency;
DROP TABLE poll_answers;
DROP TABLE poll_rounds;
DROP TABLE attendance;
DROP TABLE screenings;
