package playback

import (
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
	part := health.Part{Part: "stage_player", Level: health.OK, Message: map[string]string{
		"id": "Film siap di layar proyektor.",
		"en": "The film is ready on the projector.",
	}}
	switch r.State {
	case Blocked:
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Peramban di layar proyektor belum boleh memutar suara.",
			"en": "The browser on the projector may not play sound yet.",
		}
		part.Hint = map[string]string{
			"id": "Sentuh atau klik sekali di layar proyektor.",
			"en": "Touch or click once on the projector's page.",
		}
	case Failed:
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Film tidak bisa diputar di layar proyektor: " + r.Error,
			"en": "The film cannot be played on the projector: " + r.Error,
		}
		part.Hint = map[string]string{
			"id": "Muat ulang halaman proyektor. Kalau tetap gagal, pakai berkas film yang lain (H.264/AAC dalam MP4) atau lanjut ke diskusi.",
			"en": "Reload the projector's page. If it still fails, use another film file (H.264/AAC in MP4) or go on to the discussion.",
		}
	}
	return part
}

func (r Report) mpvHealth() health.Part {
	part := health.Part{Part: "stage_player", Level: health.OK, Message: map[string]string{
		"id": "Pemutar film siap.",
		"en": "The film player is ready.",
	}}
	if r.Restarts > 0 && r.Error != "" {
		part.Level = health.Note
		part.Message = map[string]string{
			"id": "Pemutar film berhenti dan sedang dinyalakan ulang: " + r.Error,
			"en": "The film player stopped and is being started again: " + r.Error,
		}
	}
	return part
}

func (r Report) soundHealth() health.Part {
	part := health.Part{Part: "film_sound", Level: health.OK, Message: map[string]string{
		"id": "Suara film: tidak ada kendala.",
		"en": "Sound of the film: nothing in its way.",
	}}
	if r.NoSound {
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Pengeras suara hilang. Film jalan terus tanpa suara.",
			"en": "The loudspeaker is gone. The film goes on without sound.",
		}
		part.Hint = map[string]string{
			"id": "Periksa kabel dan daya pengeras suara. Suara kembali sendiri.",
			"en": "Check the cable and the power of the loudspeaker. The sound comes back by itself.",
		}
	}
	return part
}

func (r Report) pictureHealth() health.Part {
	decoder := r.Decoder
	if decoder == "" {
		decoder = "-"
	}
	lost := r.DroppedFrames + r.DroppedByDecoder
	part := health.Part{Part: "film_picture", Level: health.OK, Message: map[string]string{
		"id": fmt.Sprintf("Gambar film: %s; hilang %d, terlambat %d.", decoder, lost, r.LateFrames),
		"en": fmt.Sprintf("Picture of the film: %s; %d lost, %d late.", decoder, lost, r.LateFrames),
	}}
	switch {
	case r.NoPicture:
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Gambar film tidak bisa ditampilkan: layar hilang.",
			"en": "The picture of the film cannot be shown: the screen is gone.",
		}
		part.Hint = map[string]string{
			"id": "Periksa kabel dan daya proyektor. Gambar kembali sendiri.",
			"en": "Check the cable and the power of the projector. The picture comes back by itself.",
		}
	case r.Software:
		part.Level = health.Note
		part.Hint = map[string]string{
			"id": "Film dibuka tanpa bantuan perangkat keras. Kalau gambar tersendat, pakai film H.264 1080p atau lebih kecil.",
			"en": "The film is decoded without the help of the hardware. If it stutters, use an H.264 film of 1080p or less.",
		}
	}
	return part
}

// playerHealth says that another player has taken over.
func (f *Follower) playerHealth(why string) health.Part {
	if f.page.Load() {
		return health.Part{Part: "film_player", Level: health.Problem, Message: map[string]string{
			"id": "Pemutar film mpv tidak bisa dipakai (" + why + "). Film diputar oleh halaman proyektor.",
			"en": "The film player mpv cannot be used (" + why + "). The projector's page plays the film.",
		}, Hint: map[string]string{
			"id": "Acara bisa diteruskan. Nyalakan ulang kotak sesudah acara.",
			"en": "The evening can go on. Restart the kiosk after it.",
		}}
	}
	return health.Part{Part: "film_player", Level: health.OK, Message: map[string]string{
		"id": "Film diputar oleh mpv.",
		"en": "mpv plays the film.",
	}}
}
