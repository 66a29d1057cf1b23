package main

import (
	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web"
)

// checkButtons are the buttons that the guided check asks to press: those on the pins
// of the box, or where it has none the keys of its keyboard.
func (k *kiosk) checkButtons() []web.CheckButton {
	out := []web.CheckButton{}
	if g := k.config.Clicker.GPIO; g.Enabled == config.On || g.Enabled == config.Auto && (box.IsPi("/") || g.Chip != "") {
		for _, b := range k.gpio().Buttons {
			if name, presses := b.Name(); presses {
				out = append(out, web.CheckButton{Name: name, Label: screening.Text{
					"id": k.checkLabel(b.Line, "id"), "en": k.checkLabel(b.Line, "en"),
				}})
			}
		}
	}
	if len(out) > 0 || !k.config.Clicker.Keyboard.Enabled {
		return out
	}
	for _, c := range k.config.Attendance {
		if c.Key != "" {
			out = append(out, web.CheckButton{Name: c.Key, Label: screening.Text(c.Label)})
		}
	}
	if undo := k.config.Clicker.Keyboard.Undo; undo != "" {
		out = append(out, web.CheckButton{Name: undo, Label: undoLabel})
	}
	return out
}

var undoLabel = screening.Text{"id": "Batalkan", "en": "Undo"}

func (k *kiosk) checkLabel(line, lang string) string {
	if label := k.buttonLabel(line, lang); label != config.UndoAction {
		return label
	}
	return undoLabel[lang]
}
