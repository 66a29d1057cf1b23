-- +goose Up

-- What each round is, by the rule of internal/screening/rounds.go: "before" and "after"
-- are the first rounds with an answer on either side of the first whole showing of the
-- film, of which the hall had seen nothing; "after_talking" is every other; '' is a round
-- that nobody answered. A test compares this with the rule.

DROP VIEW poll_results;
DROP VIEW all_poll_results;

CREATE VIEW all_poll_counts AS
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
SELECT l.screening, l.rehearsal, l.first_seq, l.opened, l.place, l.question, l.round,
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
LEFT JOIN raised r ON r.screening = l.screening AND r.question = l.question AND r.round = l.round;

-- The first whole showing of the film. A move is an event that starts, halts, moves or ends
-- it; between two moves it can only have been played. A showing is whole when nine tenths
-- of the film were played before its end, what was played twice counting once.
CREATE VIEW all_showings AS
WITH evening AS MATERIALIZED (SELECT * FROM evenings),
move AS MATERIALIZED (
    SELECT v.screening, e.seq, e.kind,
           coalesce(json_extract(e.data, '$.from'), json_extract(e.data, '$.at'), 0) AS came,
           coalesce(json_extract(e.data, '$.to'), json_extract(e.data, '$.at'), 0) AS went
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind IN ('FilmPlayed', 'FilmPaused', 'FilmSought', 'FilmFinished')
),
stretch AS MATERIALIZED (
    SELECT screening, seq, went, lead(came) OVER (PARTITION BY screening ORDER BY seq) AS until FROM move
),
part AS (
    SELECT f.screening, f.seq AS ended, f.came AS length, s.seq, s.went, s.until,
           min(f.came, coalesce(min(CASE WHEN s.until > s.went THEN s.went END) OVER (
               PARTITION BY f.screening, f.seq ORDER BY s.seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), f.came)) AS lowest
    FROM move f
    JOIN stretch s ON s.screening = f.screening AND s.seq < f.seq
    WHERE f.kind = 'FilmFinished'
),
played AS (
    SELECT screening, ended, length, seq,
           sum(max(0, min(until, lowest) - went)) OVER (PARTITION BY screening, ended ORDER BY seq DESC) AS played
    FROM part
),
whole AS (
    SELECT screening, ended, max(seq) AS began FROM played WHERE played >= length - length / 10 GROUP BY screening, ended
)
SELECT screening, began, min(ended) AS ended FROM whole GROUP BY screening; -- began of the row with that minimum

CREATE VIEW all_poll_rounds AS
WITH evening AS MATERIALIZED (SELECT * FROM evenings),
counted AS MATERIALIZED (
    SELECT screening, rehearsal, first_seq, opened, question, round, step, round_ballots - ballots AS answered
    FROM all_poll_counts WHERE option = '(skipped)'
),
of_question AS MATERIALIZED (
    SELECT v.screening, e.seq, e.kind, json_extract(e.data, '$.question') AS question, json_extract(e.data, '$.round') AS round
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind IN ('QuestionOpened', 'QuestionClosed', 'HandsCounted', 'ResultsShown', 'QuestionRevealed')
),
-- Until when people answered a round, or may have.
answering AS (
    SELECT screening, question, round,
           CASE WHEN max(CASE WHEN kind = 'QuestionOpened' THEN seq END) > coalesce(max(CASE WHEN kind = 'QuestionClosed' THEN seq END), 0)
                THEN 9223372036854775807 ELSE max(seq) END AS until
    FROM of_question WHERE kind IN ('QuestionOpened', 'QuestionClosed', 'HandsCounted')
    GROUP BY 1, 2, 3
),
shown AS (
    SELECT screening, question, min(seq) AS results, min(CASE WHEN kind = 'QuestionRevealed' THEN seq END) AS answer
    FROM of_question WHERE kind IN ('ResultsShown', 'QuestionRevealed')
    GROUP BY 1, 2
),
totals AS (
    SELECT v.screening, e.seq, json_extract(e.data, '$.show') AS show,
           lead(e.seq, 1, 9223372036854775807) OVER (PARTITION BY v.screening ORDER BY e.seq) AS until
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'RunningTotalsShown'
),
film AS (
    SELECT v.screening, min(e.seq) AS first
    FROM evening v
    JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq
    WHERE +e.kind = 'FilmPlayed'
    GROUP BY 1
),
timed AS (
    SELECT c.*,
           CASE WHEN c.answered < 1 THEN ''
                WHEN c.opened > w.ended THEN 'after'
                WHEN c.opened > w.began THEN 'after_talking'
                WHEN c.step IN ('set_up', 'doors', 'poll_before') OR c.step = 'film' AND NOT coalesce(f.first < c.opened, 0) THEN 'before'
                ELSE 'after_talking' END AS side,
           coalesce(s.results < c.opened, 0)
           OR EXISTS (SELECT 1 FROM totals t WHERE t.screening = c.screening AND t.show AND t.seq < a.until AND t.until > c.opened)
           OR CASE WHEN w.ended IS NOT NULL THEN coalesce(s.answer < w.ended, 0)
                   ELSE s.answer IS NOT NULL AND coalesce((SELECT json_extract(e.data, '$.to') FROM events e
                        WHERE e.kind = 'StepChanged' AND e.seq BETWEEN c.first_seq AND s.answer
                        ORDER BY e.seq DESC LIMIT 1), 'set_up') IN ('set_up', 'doors', 'poll_before', 'film') END AS seen
    FROM counted c
    JOIN answering a ON a.screening = c.screening AND a.question = c.question AND a.round = c.round
    LEFT JOIN shown s ON s.screening = c.screening AND s.question = c.question
    LEFT JOIN all_showings w ON w.screening = c.screening
    LEFT JOIN film f ON f.screening = c.screening
)
SELECT screening, rehearsal, question, round, step, answered,
       CASE WHEN side IN ('before', 'after')
                 AND (seen OR round > min(round) OVER (PARTITION BY screening, question, side))
            THEN 'after_talking' ELSE side END AS phase
FROM timed;

CREATE VIEW all_poll_results AS
SELECT c.screening, c.rehearsal, c.question, c.round, c.step, c.option, c.ballots, c.touch, c.phone, c.button, c.hands, c.round_ballots, r.phase
FROM all_poll_counts c
JOIN all_poll_rounds r ON r.screening = c.screening AND r.question = c.question AND r.round = c.round
ORDER BY c.first_seq, c.opened, c.place;

CREATE VIEW poll_results AS
-- Counts of small groups are kept: do not publish rounds that fewer than 10 people answered.
-- Never add rounds: a question has at most one "before" and one "after".
SELECT screening, question, round, step, option, ballots, touch, phone, button, hands, round_ballots, phase
FROM all_poll_results
WHERE NOT rehearsal;

DROP VIEW attendance;
CREATE VIEW attendance AS
-- Counts of small groups are kept: do not publish groups of fewer than 10 people.
SELECT screening, category, sex, age, pressed, undone, corrected, "rows", net
FROM all_attendance
WHERE NOT rehearsal;
