package pack

import (
	"fmt"
	"slices"
	"strings"

	"mimpi-kiosk/internal/screening"
)

// builtInIcons are the pictures that come with the kiosk's screens.
var builtInIcons = []string{
	"airplane", "book", "briefcase", "camera", "clock", "family", "family-money",
	"hand-heart", "island", "lock", "minus", "money-cut", "money-off", "number-15",
	"number-18", "office", "open-door", "paper", "parent-child", "passport",
	"person-phone", "phone", "question", "star-1", "star-2", "star-3", "thumb-up",
	"village-office", "warning",
}

// BuiltInIcons gives the names of the pictures that an option may have without a
// picture of its own in the pack, in alphabetical order.
func BuiltInIcons() []string { return slices.Clone(builtInIcons) }

// How many answers a question has.
const (
	fewestOptions = 2
	mostOptions   = 8
	mostPrompts   = 5
)

type questionTOML struct {
	ID          string              `toml:"id" want:"id,required" doc:"Name of the question in exported files. Never change it later."`
	Kind        string              `toml:"kind" want:"kind,required" doc:"single: one answer; several: one or more; scale: one point, the options are in order."`
	Ask         []string            `toml:"ask" want:"step,required,some" doc:"When it is asked: before the film, in the discussion after it, or both."`
	Text        map[string]string   `toml:"text" want:"required" doc:"The question by language: text.id, text.en, ..."`
	Explanation map[string]string   `toml:"explanation" doc:"Shown with the right answer. A question has both or neither."`
	Source      string              `toml:"source" doc:"Where the fact stands; shown with the explanation."`
	Check       map[string]string   `toml:"check" doc:"What must be verified before use. Only the facilitator sees it."`
	Prompts     []map[string]string `toml:"prompts" doc:"Two or three questions for the talk, by language. Only the facilitator sees them. About the people of the story, never about those who listen."`
	Options     []optionTOML        `toml:"options" want:"required,options" doc:"The answers. Give people a way out: Belum tahu."`
}

type optionTOML struct {
	ID    string            `toml:"id" want:"option,required" doc:"Name of the answer in exported files. Never change it later."`
	Text  map[string]string `toml:"text" want:"required" doc:"The answer by language."`
	Icon  string            `toml:"icon" want:"id,required" doc:"Name of its picture: one of the kiosk's, or icons/NAME.svg (.png, .jpg) of the pack."`
	Right bool              `toml:"right" doc:"true at the right answer; leave it out for opinions."`
}

// readQuestion reads and checks one question file. hasIcon says whether the pack
// has a picture of its own by a name.
func readQuestion(file string, data []byte, hasIcon func(string) bool, m *mistakes) (screening.Question, bool) {
	var q questionTOML
	d, ok := decode(file, data, &q, m)
	if !ok {
		return screening.Question{}, false
	}
	d.id("id", q.ID)
	kind := screening.QuestionKind(q.Kind)
	if !slices.Contains([]screening.QuestionKind{screening.Single, screening.Several, screening.Scale}, kind) {
		d.wrong("kind", "kind %q tidak dikenal. Pilih single, several atau scale.",
			"The kind %q is not known. Choose single, several or scale.", q.Kind)
	}
	out := screening.Question{
		ID:          q.ID,
		Kind:        kind,
		Text:        d.text("text", q.Text),
		Explanation: d.optionalText("explanation", q.Explanation),
		Source:      strings.TrimSpace(q.Source),
		Check:       d.optionalText("check", q.Check),
		Ask:         d.ask(q.Ask),
	}
	if len(q.Prompts) > mostPrompts {
		d.wrong("prompts", "Ada %d [[prompts]]. Tulis paling banyak %d: fasilitator membacanya sambil berbicara.",
			"There are %d [[prompts]]. Write at most %d: the facilitator reads them while talking.", len(q.Prompts), mostPrompts)
	}
	for i, p := range q.Prompts {
		out.Prompts = append(out.Prompts, d.text(fmt.Sprintf("prompts.%d", i), p))
	}
	if n := len(q.Options); n < fewestOptions || n > mostOptions {
		d.wrong("options", "Ada %d pilihan. Satu pertanyaan harus punya 2 sampai 8 [[options]].",
			"There are %d options. A question must have 2 to 8 [[options]].", n)
	}
	right, rightKey := 0, ""
	for i, o := range q.Options {
		key := fmt.Sprintf("options.%d", i)
		d.optionID(key+".id", o.ID)
		if slices.ContainsFunc(q.Options[:i], func(p optionTOML) bool { return p.ID == o.ID }) {
			d.wrong(key+".id", "id pilihan %q dipakai dua kali. Beri id lain.",
				"The option id %q is used twice. Give this one another id.", o.ID)
		}
		if !idForm.MatchString(o.Icon) || !hasIcon(o.Icon) && !slices.Contains(builtInIcons, o.Icon) {
			d.wrong(key+".icon", "Gambar %q tidak ada. Taruh gambarnya di icons/NAMA.svg (atau .png, .jpg), atau pakai salah satu dari: %s",
				"There is no picture %q. Put one at icons/NAME.svg (or .png, .jpg), or use one of: %s", o.Icon, strings.Join(builtInIcons, " "))
		}
		if o.Right {
			right++
			rightKey = key + ".right"
		}
		out.Options = append(out.Options, screening.Option{
			ID: o.ID, Text: d.text(key+".text", o.Text), Icon: o.Icon, Right: o.Right,
		})
	}
	// A question with an explanation is about knowledge: it has a right answer. One
	// without is an opinion: nobody may be told that theirs was wrong.
	switch {
	case right == 0 && out.Explanation != nil:
		d.wrong("explanation", "Ada penjelasan tetapi tidak ada jawaban benar. Tulis right = true pada pilihan yang benar, atau hapus penjelasannya.",
			"There is an explanation but no right answer. Write right = true at the right option, or delete the explanation.")
	case right > 0 && out.Explanation == nil:
		d.wrong(rightKey, "Ada jawaban benar tetapi tidak ada penjelasan. Tambahkan explanation.id = \"...\" di atas [[options]].",
			"There is a right answer but no explanation. Add explanation.id = \"...\" above the [[options]].")
	case right > 1 && kind == screening.Single:
		d.wrong("kind", "Ada %d jawaban benar, tetapi hanya satu yang bisa dipilih. Pakai kind = \"several\", atau sisakan satu right = true.",
			"There are %d right answers, but only one can be chosen. Use kind = \"several\", or leave one right = true.", right)
	}
	return out, true
}

// ask checks when a question is asked.
func (d *document) ask(names []string) []screening.Step {
	if len(names) == 0 {
		d.wrong("ask", "Tidak ditulis kapan ditanyakan. Tambahkan: ask = [\"poll_before\", \"discussion\"]",
			"It does not say when to ask it. Add: ask = [\"poll_before\", \"discussion\"]")
	}
	var steps []screening.Step
	for _, name := range names {
		step := screening.Step(name)
		switch {
		case step != screening.PollBefore && step != screening.Discussion:
			d.wrong("ask", "%q bukan waktu bertanya. Pakai \"poll_before\" (sebelum film) atau \"discussion\" (sesudahnya).",
				"%q is not a time to ask. Use \"poll_before\" (before the film) or \"discussion\" (after it).", name)
		case slices.Contains(steps, step):
			d.wrong("ask", "%q ditulis dua kali. Hapus satu.", "%q is written twice. Delete one.", name)
		default:
			steps = append(steps, step)
		}
	}
	return steps
}
