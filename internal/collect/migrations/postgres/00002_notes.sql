-- How the evening went, in codes joined by ','.
-- +goose Up
ALTER TABLE mimpi.screenings ADD COLUMN note_went text NOT NULL DEFAULT '';
ALTER TABLE mimpi.screenings ADD COLUMN note_away text NOT NULL DEFAULT '';
ALTER TABLE mimpi.screenings ADD COLUMN note_why text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE mimpi.screenings DROP COLUMN note_went;
ALTER TABLE mimpi.screenings DROP COLUMN note_away;
ALTER TABLE mimpi.screenings DROP COLUMN note_why;
