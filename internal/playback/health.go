package playback

import (
	"cmp"
	"fmt"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// health says for the facilitator what a player sees.
func (r Report) health(plays screening.PlayerKind) []health.Part {
	if plays == screening.BrowserPlayer {
		return []health.Part{r.stageHealth()}
	}
	return []health.Part{r.mpvHealth(), r.soundHealth(), r.pictureHealth()}
}

func (r Report) stageHealth() health.Part {
	switch r.State {
	case Blocked:
		return health.Found("stage_player", health.Problem,
			"Peramban di layar proyektor belum boleh memutar suara.", "The browser on the projector may not play sound yet.",
			"Sentuh atau klik sekali di layar proyektor.", "Touch or click once on the projector's page.")
	case Failed:
		return health.Found("stage_player", health.Problem,
			"Film tidak bisa diputar di layar proyektor: "+r.Error, "The film cannot be played on the projector: "+r.Error,
			"Muat ulang halaman proyektor. Kalau tetap gagal, pakai berkas film yang lain (H.264/AAC dalam MP4) atau lanjut ke diskusi.",
			"Reload the projector's page. If it still fails, use another film file (H.264/AAC in MP4) or go on to the discussion.")
	}
	return health.Found("stage_player", health.OK, "Film siap di layar proyektor.", "The film is ready on the projector.")
}

func (r Report) mpvHealth() health.Part {
	if r.Restarts > 0 && r.Error != "" {
		return health.Found("stage_player", health.Note,
			"Pemutar film berhenti dan sedang dinyalakan ulang: "+r.Error, "The film player stopped and is being started again: "+r.Error)
	}
	return health.Found("stage_player", health.OK, "Pemutar film siap.", "The film player is ready.")
}

func (r Report) soundHealth() health.Part {
	if r.NoSound {
		return health.Found("film_sound", health.Problem,
			"Pengeras suara hilang. Film jalan terus tanpa suara.", "The loudspeaker is gone. The film goes on without sound.",
			"Periksa kabel dan daya pengeras suara. Suara kembali sendiri.",
			"Check the cable and the power of the loudspeaker. The sound comes back by itself.")
	}
	return health.Found("film_sound", health.OK, "Suara film: tidak ada kendala.", "Sound of the film: nothing in its way.")
}

func (r Report) pictureHealth() health.Part {
	if r.NoPicture {
		return health.Found("film_picture", health.Problem,
			"Gambar film tidak bisa ditampilkan: layar hilang.", "The picture of the film cannot be shown: the screen is gone.",
			"Periksa kabel dan daya proyektor. Gambar kembali sendiri.",
			"Check the cable and the power of the projector. The picture comes back by itself.")
	}
	decoder, lost := cmp.Or(r.Decoder, "-"), r.DroppedFrames+r.DroppedByDecoder
	id := fmt.Sprintf("Gambar film: %s; hilang %d, terlambat %d.", decoder, lost, r.LateFrames)
	en := fmt.Sprintf("Picture of the film: %s; %d lost, %d late.", decoder, lost, r.LateFrames)
	if r.Software {
		return health.Found("film_picture", health.Note, id, en,
			"Film dibuka tanpa bantuan perangkat keras. Kalau gambar tersendat, pakai film H.264 1080p atau lebih kecil.",
			"The film is decoded without the help of the hardware. If it stutters, use an H.264 film of 1080p or less.")
	}
	return health.Found("film_picture", health.OK, id, en)
}

// playerHealth says that another player has taken over.
func (f *Follower) playerHealth(why string) health.Part {
	if f.page.Load() {
		return health.Found("film_player", health.Problem,
			"Pemutar film mpv tidak bisa dipakai ("+why+"). Film diputar oleh halaman proyektor.",
			"The film player mpv cannot be used ("+why+"). The projector's page plays the film.",
			"Acara bisa diteruskan. Nyalakan ulang kotak sesudah acara.", "The evening can go on. Restart the kiosk after it.")
	}
	return health.Found("film_player", health.OK, "Film diputar oleh mpv.", "mpv plays the film.")
}
