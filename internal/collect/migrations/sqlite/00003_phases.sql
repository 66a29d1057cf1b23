-- What a round is: "before" and "after" (at most one of each in a screening and question),
-- "after_talking" (every other), or '' when nobody answered. Rows from before this have
-- no phase (NULL) and screenings.rules 0 until mimpi-collect stores them again.
-- +goose Up
ALTER TABLE screenings ADD COLUMN rules integer NOT NULL DEFAULT 0;
ALTER TABLE poll_rounds ADD COLUMN phase text;

DROP VIEW poll_results;
CREATE VIEW poll_results AS
-- No sum adds rounds: of a screening, question and phase one round counts, of those after
-- talking the last. Of groups in which fewer than ten people answered nothing is shown.
-- Those who answered before and after are not matched.
SELECT s.programme, r.question, r.question_text, r.phase, a."option", a.option_text, a.is_right,
       count(*) AS screenings, sum(r.answered) AS answered, sum(a.people) AS people
FROM screenings s JOIN poll_rounds r USING (session_id) JOIN poll_answers a USING (session_id, question, round)
WHERE NOT s.rehearsal AND r.phase IN ('before', 'after', 'after_talking')
  AND r.round = (SELECT max(o.round) FROM poll_rounds o
                 WHERE o.session_id = r.session_id AND o.question = r.question AND o.phase = r.phase)
GROUP BY s.programme, r.question, r.question_text, r.phase, a."option", a.option_text, a.is_right
HAVING sum(r.answered) >= 10;

DROP VIEW attendance_by_regency;
CREATE VIEW attendance_by_regency AS
-- Counts of small groups are kept here: do not publish rows with under_10_do_not_publish.
SELECT s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group,
       count(DISTINCT s.session_id) AS screenings, sum(a.net_count) AS people,
       sum(a.net_count) BETWEEN 1 AND 9 AS under_10_do_not_publish
FROM screenings s JOIN attendance a USING (session_id)
WHERE NOT s.rehearsal
GROUP BY s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group;

-- +goose Down
DROP VIEW attendance_by_regency;
CREATE VIEW attendance_by_regency AS
SELECT s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group,
       count(DISTINCT s.session_id) AS screenings, sum(a.net_count) AS people
FROM screenings s JOIN attendance a USING (session_id)
WHERE NOT s.rehearsal
GROUP BY s.kode_kemendagri, s.kode_bps, s.kabupaten, a.sex, a.age_group;
DROP VIEW poll_results;
CREATE VIEW poll_results AS
SELECT s.programme, r.question, r.question_text, r.before_film, a."option", a.option_text, a.is_right,
       count(DISTINCT s.session_id) AS screenings, sum(r.answered) AS answered, sum(a.people) AS people
FROM screenings s JOIN poll_rounds r USING (session_id) JOIN poll_answers a USING (session_id, question, round)
WHERE NOT s.rehearsal
GROUP BY s.programme, r.question, r.question_text, r.before_film, a."option", a.option_text, a.is_right
HAVING sum(r.answered) >= 10;
ALTER TABLE poll_rounds DROP COLUMN phase;
ALTER TABLE screenings DROP COLUMN rules;
