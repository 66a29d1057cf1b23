package pack

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// recorded are the endings of recordings that browsers and mpv play.
var recorded = []string{".mp3", ".ogg", ".opus", ".m4a", ".wav"}

// maxRecording is the size of the longest recording of one text, in bytes.
const maxRecording = 10 << 20

// Recording gives the file in which a text is spoken: audio/LANG/KEY.mp3, where KEY is
// the text's key in lang/*.json without "pack.", such as "questions.k1.text".
func (p *Pack) Recording(lang, key string) (file string, ok bool) {
	file, ok = p.recordings[lang][key]
	return file, ok
}

// addRecordings looks through the folders audio/LANG. Like a language, a recording that
// cannot be used does not keep an evening from being held.
func (p *Pack) addRecordings(f folder, all bool, m *mistakes) {
	languages, err := fs.ReadDir(f.root.FS(), "audio")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		m.unreadable("audio", err)
		return
	}
	known := map[string]bool{}
	for _, t := range p.texts() {
		known[t.Key] = true
	}
	p.recordings = map[string]map[string]string{}
	for _, lang := range languages {
		if !lang.IsDir() {
			if key, _ := strings.CutSuffix(lang.Name(), path.Ext(lang.Name())); known[key] {
				m.add("audio/"+lang.Name(), 0, "Rekaman harus ada di folder bahasanya, misalnya audio/id/%s.", "A recording must be in the folder of its language, such as audio/id/%s.", lang.Name())
			}
			continue // a note of the speaker's, or the like
		}
		dir := "audio/" + lang.Name()
		if !codeForm.MatchString(lang.Name()) {
			m.add(dir, 0, "Nama folder harus kode bahasa dengan huruf kecil, misalnya audio/aoz.",
				"The name of the folder must be a language code in small letters, such as audio/aoz.")
			continue
		}
		p.recordings[lang.Name()] = p.recordingsIn(f, dir, known, all, m)
	}
}

func (p *Pack) recordingsIn(f folder, dir string, known map[string]bool, all bool, m *mistakes) map[string]string {
	out := map[string]string{}
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if err != nil {
		m.unreadable(dir, err)
		return out
	}
	for _, e := range entries {
		name, ext := dir+"/"+e.Name(), path.Ext(e.Name())
		key := strings.TrimSuffix(e.Name(), ext)
		info, err := f.root.Stat(filepath.FromSlash(name))
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), ".") || ext == ".txt":
			continue
		case err != nil || !info.Mode().IsRegular():
			m.add(name, 0, "Rekaman tidak bisa dibaca. Salin berkasnya sendiri ke dalam folder paket, bukan pintasan.",
				"The recording cannot be read. Copy the file itself into the pack's folder, not a link to it.")
		case !slices.Contains(recorded, strings.ToLower(ext)):
			m.add(name, 0, "Rekaman harus berakhir dengan %s. Simpan sebagai MP3.", "A recording must end in %s. Save it as MP3.", strings.Join(recorded, " "))
		case !known[key] && all:
			m.add(name, 0, "Paket tidak punya teks %q. Namai rekaman seperti questions.k1.text.mp3 atau questions.k1.options.18.mp3.",
				"The pack has no text %q. Name a recording like questions.k1.text.mp3 or questions.k1.options.18.mp3.", key)
		case info.Size() == 0:
			m.add(name, 0, "Rekaman ini kosong. Rekam lagi.", "This recording is empty. Record it again.")
		case info.Size() > maxRecording:
			m.add(name, 0, "Rekaman ini lebih besar dari 10 MB. Simpan sebagai MP3, satu kalimat saja.", "This recording is larger than 10 MB. Save it as MP3, one sentence only.")
		case out[key] != "":
			m.add(name, 0, "Ada dua rekaman untuk %q. Hapus satu.", "There are two recordings of %q. Delete one.", key)
		default:
			out[key] = filepath.Join(p.Dir, filepath.FromSlash(name))
		}
	}
	return out
}
