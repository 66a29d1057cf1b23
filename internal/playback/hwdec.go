package playback

import "strings"

// HWDec gives mpv's name of the one hardware decoder to use for a film, "no" for none.
// model is what /proc/device-tree/model says ("Raspberry Pi 4 Model B Rev 1.4"), codec the
// four characters of the film's pictures in its MP4 file ("avc1" is H.264, "hvc1" HEVC).
//
// One name, because mpv 0.35 takes a list for one unknown decoder and then decodes in
// software without a word; by name, because its "auto" never picks v4l2m2m. Which board
// decodes what: a Pi 3 and 4 have H.264 (a stateful V4L2 device, up to 1080p), a 4 and 5
// HEVC (a stateless one, which mpv reaches as drm). The Pi 5 has no H.264 decoder, and
// does 1080p in software. A film that the hardware does not take is decoded in software.
func HWDec(model, codec string) string {
	pi := func(n string) bool {
		return strings.HasPrefix(model, "Raspberry Pi "+n) || strings.HasPrefix(model, "Raspberry Pi Compute Module "+n)
	}
	switch h264, hevc := codec == "avc1" || codec == "avc3", codec == "hvc1" || codec == "hev1"; {
	case h264 && (pi("3") || pi("4")):
		return "v4l2m2m-copy"
	case hevc && (pi("4") || pi("5")):
		return "drm-copy"
	}
	return "no"
}
