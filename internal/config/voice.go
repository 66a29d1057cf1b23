package config

// Voice is how the kiosk speaks to people who do not read.
type Voice struct {
	Enabled bool `toml:"enabled"`
	// WordsPerMinute is the pace of speech that the kiosk makes itself; 80 to 260.
	WordsPerMinute int `toml:"words_per_minute"`
}

func defaultVoice() Voice { return Voice{Enabled: true, WordsPerMinute: 135} }

func (in *inspection) voice(v Voice) {
	in.number("voice.words_per_minute", v.WordsPerMinute, 80, 260)
}
