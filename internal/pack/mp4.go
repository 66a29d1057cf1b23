package pack

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// mp4Film is what CheckFilm wants to know of an MP4 or MOV file (ISO/IEC 14496-12).
// The reader is our own because it has to make sense of damaged files, reads the
// few boxes it needs, and lets QuickTime's oddities pass as browsers do.
type mp4Film struct {
	needs         int64 // the length that the file must have for everything it speaks of
	hasMoov       bool
	moovLast      bool // the index comes after the pictures
	hasSamples    bool // there is at least one picture
	duration      time.Duration
	video, audio  string // codecs of the first tracks
	width, height int
	profile       byte          // of H.264, as the standard numbers it; 0 when unknown
	slow, fast    float64       // pictures a second, where most of them change pace; 0 when they keep it
	apart         time.Duration // the longest way from one keyframe to the next; 0 when all are or it is unknown
}

// errBroken is the error for a file whose index makes no sense.
var errBroken = errors.New("broken index")

const (
	maxBoxes = 200_000  // at the top of a file: two hours in fragments of a second have 15,000
	maxMoov  = 64 << 20 // bytes; a film of two hours has 10 MB at most
)

// readMP4 goes through the boxes at the top of the file and reads the index. What
// was found before an error is in the result.
func readMP4(r io.ReaderAt, size int64) (mp4Film, error) {
	var f mp4Film
	sawMedia := false
	for at, n := int64(0), 0; at+8 <= size && n < maxBoxes; n++ {
		kind, header, length, err := topBox(r, at, size)
		if err != nil {
			return f, err
		}
		if length < header {
			break // rubbish after the last box does no harm; before it, something is missing below
		}
		if length > math.MaxInt64-at {
			return f, fmt.Errorf("%w: box %q of %d bytes", errBroken, kind, length)
		}
		f.needs = max(f.needs, at+length)
		switch kind {
		case "moov":
			if f.needs > size {
				return f, nil // cut short: that says it all
			}
			f.hasMoov, f.moovLast = true, sawMedia
			if length > maxMoov {
				return f, fmt.Errorf("%w: %d bytes", errBroken, length)
			}
			moov := make([]byte, length-header)
			if _, err := r.ReadAt(moov, at+header); err != nil {
				return f, fmt.Errorf("read index: %w", err)
			}
			if err := f.index(moov); err != nil {
				return f, err
			}
		case "mdat":
			sawMedia = true
		case "moof":
			f.hasSamples = true
		}
		at += length
	}
	return f, nil
}

// topBox reads the header of the box at a place in the file.
func topBox(r io.ReaderAt, at, size int64) (kind string, header, length int64, err error) {
	var b [16]byte
	n := min(16, size-at)
	if _, err := r.ReadAt(b[:n], at); err != nil {
		return "", 0, 0, fmt.Errorf("read box: %w", err)
	}
	kind, header, length = string(b[4:8]), 8, int64(binary.BigEndian.Uint32(b[:4]))
	switch {
	case length == 0 && kind != "\x00\x00\x00\x00": // to the end of the file
		length = size - at
	case length == 1 && n < 16: // cut in the middle of its own length
		header, length = 16, 16
	case length == 1:
		header = 16
		long := binary.BigEndian.Uint64(b[8:])
		if long > math.MaxInt64 {
			return "", 0, 0, fmt.Errorf("%w: box %q of %d bytes", errBroken, kind, long)
		}
		length = int64(long)
	}
	return kind, header, length, nil
}

// box is a box within the index, which is in memory.
type box struct {
	kind string
	data []byte
}

// boxes takes a run of boxes apart. QuickTime ends some with four zero bytes.
func boxes(b []byte) ([]box, error) {
	var out []box
	for len(b) >= 8 {
		length := uint64(binary.BigEndian.Uint32(b))
		header := uint64(8)
		if length == 0 {
			break
		}
		if length == 1 && len(b) >= 16 {
			header, length = 16, binary.BigEndian.Uint64(b[8:])
		}
		if length < header || length > uint64(len(b)) {
			return nil, fmt.Errorf("%w: box %q of %d bytes in %d", errBroken, b[4:8], length, len(b))
		}
		out = append(out, box{string(b[4:8]), b[header:length]})
		b = b[length:]
	}
	return out, nil
}

// inside gives the boxes in the first box at a path; none when there is no such box.
func inside(b []box, path ...string) ([]box, error) {
	for _, kind := range path {
		data := find(b, kind)
		var err error
		if b, err = boxes(data); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// find gives the content of the first box of a kind, or nil.
func find(in []box, kind string) []byte {
	for _, b := range in {
		if b.kind == kind {
			return b.data
		}
	}
	return nil
}

// index reads the moov box.
func (f *mp4Film) index(moov []byte) error {
	top, err := boxes(moov)
	if err != nil {
		return err
	}
	scale, length := lengthIn(find(top, "mvhd"))
	mvex, err := inside(top, "mvex")
	if err != nil {
		return err
	}
	if length == 0 { // a film in fragments tells its length here, if at all
		length = fragmentLength(find(mvex, "mehd"))
	}
	if scale > 0 && length/scale < uint64(longest/time.Second) {
		f.duration = time.Duration(float64(length) / float64(scale) * float64(time.Second)).Round(time.Millisecond)
	}
	for _, b := range top {
		if b.kind != "trak" {
			continue
		}
		if err := f.track(b.data); err != nil {
			return err
		}
	}
	return nil
}

// track reads one track of the film.
func (f *mp4Film) track(trak []byte) error {
	top, err := boxes(trak)
	if err != nil {
		return err
	}
	mdia, err := inside(top, "mdia")
	if err != nil {
		return err
	}
	tables, err := inside(mdia, "minf", "stbl")
	if err != nil {
		return err
	}
	hdlr, stsd := find(mdia, "hdlr"), find(tables, "stsd")
	if len(hdlr) < 12 || len(stsd) < 16 {
		return fmt.Errorf("%w: a track does not say what it is", errBroken)
	}
	codec := string(stsd[12:16])
	switch kind := string(hdlr[8:12]); {
	case kind == "vide" && f.video == "":
		f.video = codec
		if len(stsd) >= 44 {
			f.width, f.height = int(binary.BigEndian.Uint16(stsd[40:])), int(binary.BigEndian.Uint16(stsd[42:]))
		}
		f.profile = h264Profile(stsd)
		scale, _ := lengthIn(find(mdia, "mdhd"))
		stts, err := table(find(tables, "stts"), 0, 8)
		if err != nil {
			return err
		}
		stss, err := table(find(tables, "stss"), 0, 4)
		if err != nil {
			return err
		}
		f.slow, f.fast = pace(scale, stts)
		f.apart = apart(scale, stts, stss)
	case kind == "soun" && f.audio == "":
		f.audio = codec
	case kind != "vide" && kind != "soun":
		return nil // subtitles, timecode: browsers pass over them
	}
	end, samples, err := samplesEnd(tables)
	if err != nil {
		return err
	}
	f.needs = max(f.needs, end)
	f.hasSamples = f.hasSamples || samples && string(hdlr[8:12]) == "vide"
	return nil
}

// h264Profile reads the profile from the sample description of a picture track.
func h264Profile(stsd []byte) byte {
	const fixed = 8 + 8 + 78 // the table's head, the entry's head, its fields
	if len(stsd) < fixed {
		return 0
	}
	inner, err := boxes(stsd[fixed:])
	if err != nil {
		return 0 // oddities behind the fields that we need
	}
	if avcC := find(inner, "avcC"); len(avcC) > 1 {
		return avcC[1]
	}
	return 0
}

// Pictures that stay longer or shorter than a quarter of the usual, from how many in a
// thousand on a film is of variable rate. The first and last few are always odd.
const (
	paceTolerance = 0.25
	paceOdd       = 10
)

// pace says between which rates the pictures of a track come; zeros when they come evenly.
func pace(scale uint64, runs []byte) (slow, fast float64) {
	if scale == 0 {
		return 0, 0
	}
	type run struct{ n, long uint64 }
	var all []run
	pictures := uint64(0)
	for ; len(runs) >= 8; runs = runs[8:] {
		r := run{uint64(binary.BigEndian.Uint32(runs)), uint64(binary.BigEndian.Uint32(runs[4:]))}
		if r.long > 0 {
			all = append(all, r)
			pictures += r.n
		}
	}
	slices.SortFunc(all, func(a, b run) int { return cmp.Compare(a.long, b.long) })
	usual, seen := uint64(0), uint64(0)
	for _, r := range all {
		if seen += r.n; seen*2 >= pictures {
			usual = r.long
			break
		}
	}
	odd, shortest, longest := uint64(0), usual, usual
	for _, r := range all {
		if math.Abs(float64(r.long)-float64(usual)) > paceTolerance*float64(usual) {
			odd += r.n
			shortest, longest = min(shortest, r.long), max(longest, r.long)
		}
	}
	if odd < 4 || odd*1000 < pictures*paceOdd {
		return 0, 0
	}
	return float64(scale) / float64(longest), float64(scale) / float64(shortest)
}

// apart is the longest way from one keyframe to the next, or to the end. Runs are how many
// pictures stay for how long; keyframes are numbers of pictures from 1 on, ascending, and
// none where all are keyframes.
func apart(scale uint64, runs, keyframes []byte) time.Duration {
	if scale == 0 || len(keyframes) == 0 {
		return 0
	}
	var pictures, now, last, most uint64 // before this run; in units of time
	for ; len(runs) >= 8; runs = runs[8:] {
		n, long := uint64(binary.BigEndian.Uint32(runs)), uint64(binary.BigEndian.Uint32(runs[4:]))
		for ; len(keyframes) >= 4; keyframes = keyframes[4:] {
			key := uint64(binary.BigEndian.Uint32(keyframes))
			if key > pictures+n {
				break
			}
			if key > pictures {
				at := now + (key-pictures-1)*long
				most, last = max(most, at-last), at
			}
		}
		pictures, now = pictures+n, now+n*long
	}
	if most = max(most, now-last); most/scale > uint64(longest/time.Second) {
		return 0
	}
	return time.Duration(float64(most) / float64(scale) * float64(time.Second))
}

// lengthIn reads units per second and length from an mvhd box.
func lengthIn(b []byte) (scale, length uint64) {
	switch {
	case len(b) >= 20 && b[0] == 0:
		scale, length = uint64(binary.BigEndian.Uint32(b[12:])), uint64(binary.BigEndian.Uint32(b[16:]))
		if length == math.MaxUint32 {
			length = 0 // unknown
		}
	case len(b) >= 32 && b[0] == 1:
		scale, length = uint64(binary.BigEndian.Uint32(b[20:])), binary.BigEndian.Uint64(b[24:])
		if length == math.MaxUint64 {
			length = 0
		}
	}
	return scale, length
}

// fragmentLength reads the length from an mehd box.
func fragmentLength(b []byte) uint64 {
	switch {
	case len(b) >= 8 && b[0] == 0:
		return uint64(binary.BigEndian.Uint32(b[4:]))
	case len(b) >= 12 && b[0] == 1:
		return binary.BigEndian.Uint64(b[4:])
	}
	return 0
}

// table checks that a full box holds as many entries as it says and gives them.
func table(b []byte, skip, entry int) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	if len(b) < 8+skip {
		return nil, fmt.Errorf("%w: a table is too short", errBroken)
	}
	count := uint64(binary.BigEndian.Uint32(b[4+skip:]))
	b = b[8+skip:]
	if count*uint64(entry) > uint64(len(b)) {
		return nil, fmt.Errorf("%w: a table of %d entries has %d bytes", errBroken, count, len(b))
	}
	return b[:count*uint64(entry)], nil
}

// samplesEnd follows the sample tables of a track and gives the place in the file
// where its last picture or sound ends, and whether there is any.
func samplesEnd(tables []box) (end int64, some bool, err error) {
	sizes := find(tables, "stsz") // absent in fragments and for the rare stz2
	if len(sizes) < 12 {
		return 0, false, nil
	}
	each := uint64(binary.BigEndian.Uint32(sizes[4:])) // the same for all, or 0
	samples := uint64(binary.BigEndian.Uint32(sizes[8:]))
	var sizeOf []byte
	if each == 0 {
		if sizeOf, err = table(sizes, 4, 4); err != nil {
			return 0, false, err
		}
	}
	runs, err := table(find(tables, "stsc"), 0, 12)
	if err != nil {
		return 0, false, err
	}
	width := 4
	chunks := find(tables, "stco")
	if chunks == nil {
		width, chunks = 8, find(tables, "co64")
	}
	if chunks, err = table(chunks, 0, width); err != nil {
		return 0, false, err
	}
	sample, perChunk := uint64(0), uint64(0)
	for i := 0; i < len(chunks)/width && sample < samples; i++ {
		for len(runs) > 0 && uint64(binary.BigEndian.Uint32(runs)) <= uint64(i)+1 {
			perChunk = uint64(binary.BigEndian.Uint32(runs[4:]))
			runs = runs[12:]
		}
		var at uint64
		if width == 4 {
			at = uint64(binary.BigEndian.Uint32(chunks[i*4:]))
		} else {
			at = binary.BigEndian.Uint64(chunks[i*8:])
		}
		n := min(perChunk, samples-sample)
		span := n * each // both fit in 32 bits
		if each == 0 {
			for s := sample; s < sample+n; s++ {
				span += uint64(binary.BigEndian.Uint32(sizeOf[s*4:]))
			}
		}
		sample += n
		if at > math.MaxInt64 || span > math.MaxInt64-at {
			return 0, false, fmt.Errorf("%w: a chunk at %d of %d bytes", errBroken, at, span)
		}
		end = max(end, int64(at+span))
	}
	return end, sample > 0, nil
}
