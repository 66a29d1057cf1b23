package config

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeText reads a file as whatever editor saved it: UTF-8 with or without a byte
// order mark, UTF-16 as old Notepads call "Unicode", or the letters of a Western
// Windows ("ANSI"). Lines may end as Windows ends them.
func decodeText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		data = fromUTF16(data[2:], binary.BigEndian)
	case len(data) >= 2 && data[0] != 0 && data[1] == 0: // no mark, but a Latin letter or # first
		data = fromUTF16(data, binary.LittleEndian)
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	if !utf8.Valid(data) {
		runes := make([]rune, len(data))
		for i, b := range data { // the upper half of Latin-1 is that of Unicode
			runes[i] = rune(b)
			if b >= 0x80 && b < 0xa0 {
				runes[i] = windowsSigns[b-0x80]
			}
		}
		return string(runes)
	}
	return string(data)
}

// windowsSigns are what Windows-1252 has where Latin-1 has nothing.
var windowsSigns = [...]rune{
	'€', '\ufffd', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\ufffd', 'Ž', '\ufffd',
	'\ufffd', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\ufffd', 'ž', 'Ÿ',
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
