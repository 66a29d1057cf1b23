package voice

import (
	"encoding/binary"
	"errors"
)

// whole puts the lengths into a WAV that espeak-ng wrote to a pipe: it could not know
// them when it wrote the header, and browsers then show no duration and may cut the end.
func whole(wav []byte) ([]byte, error) {
	const header = 44
	if len(wav) <= header || string(wav[:4]) != "RIFF" || string(wav[8:16]) != "WAVEfmt " || string(wav[36:40]) != "data" {
		return nil, errors.New("the program gave no sound")
	}
	binary.LittleEndian.PutUint32(wav[4:], uint32(len(wav)-8))
	binary.LittleEndian.PutUint32(wav[40:], uint32(len(wav)-header))
	return wav, nil
}
