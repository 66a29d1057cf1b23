// Package chart draws the figures of a report as inline SVG, and says how sure they are.
//
// A chart is one string of SVG without scripts, styles of its own or anything fetched,
// so that a page with it opens on any laptop or phone without a network. It is 360 units
// wide, a phone's width, with text of 13 units, and grows no wider than the page's CSS
// lets it. All text in it is escaped. The package keeps no state.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"strings"
	"unicode/utf8"

	"mimpi-kiosk/kiosk-ui/lang"
)

// Kind says how a bar is filled. All differ in colour, and in pattern or darkness.
type Kind int

// The fillings.
const (
	Plain Kind = iota
	Before
	After
	Talked
)

// Bar is one bar.
type Bar struct {
	Label string  // stands above it; none: the bar belongs to the one before
	Value float64 // its length; the longest possible is the chart's
	Text  string  // stands behind it
	// Low and High are the ends of the interval drawn on it, none when both are 0.
	Low, High float64
	Kind      Kind
}

// ShareBar is the bar of a share of k out of n, with its interval.
func ShareBar(label string, k, n int, kind Kind) Bar {
	low, high := Wilson(k, n)
	return Bar{Label: label, Value: float64(k) / float64(n), Text: Share(k, n), Low: low, High: high, Kind: kind}
}

const (
	width     = 360
	longest   = 214 // of a bar
	thick     = 17
	line      = 17 // height of a line of text
	lineRunes = 50 // of a label
)

// Bars draws bars from the left, one below the other. A bar of length most goes all the way.
func Bars(title string, most float64, bars []Bar) template.HTML {
	if most <= 0 {
		most = 1
	}
	var out strings.Builder
	y := 4.0
	for i, b := range bars {
		if b.Label != "" && i > 0 {
			y += 9
		}
		for _, l := range wrap(b.Label) {
			fmt.Fprintf(&out, `<text x="0" y="%.0f" class="label">%s</text>`, y+12, html.EscapeString(l))
			y += line
		}
		length := 0.0
		if b.Value > 0 { // NaN is not
			length = longest * min(b.Value/most, 1)
		}
		fill, edge := "#33407a", "#33407a"
		switch b.Kind {
		case Before:
			fill, edge = "url(#hatch)", "#8a5a12"
		case After:
			fill, edge = "#2f6b45", "#2f6b45"
		case Talked:
			fill, edge = "#d6e6da", "#2f6b45"
		}
		fmt.Fprintf(&out, `<rect x="0.5" y="%.1f" width="%.1f" height="%d" fill="%s" stroke="%s"/>`, y+0.5, max(length, 1), thick-2, fill, edge)
		end := length
		if b.High > 0 {
			low, high := longest*max(b.Low/most, 0), longest*min(b.High/most, 1)
			middle := y + float64(thick)/2
			fmt.Fprintf(&out, `<path d="M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8" stroke="#fff" stroke-width="4"/><path d="M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8" stroke="#1c1f3a" stroke-width="1.5"/>`,
				low, middle, high, low, middle-4, high, middle-4, low, middle, high, low, middle-4, high, middle-4)
			end = max(end, high)
		}
		fmt.Fprintf(&out, `<text x="%.0f" y="%.0f" class="value">%s</text>`, end+6, y+13, html.EscapeString(b.Text))
		y += thick + 3
	}
	return template.HTML(fmt.Sprintf(`<svg class="chart" viewBox="0 0 %d %.0f" role="img" aria-label="%s" xmlns="http://www.w3.org/2000/svg">`+
		`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f3dcae"/><rect width="2.5" height="6" fill="#c08327"/></pattern></defs>%s</svg>`,
		width, y+4, html.EscapeString(title), out.String()))
}

// wrap breaks a text into at most three lines.
func wrap(s string) []string {
	var lines []string
	for _, word := range strings.Fields(s) {
		last := len(lines) - 1
		switch {
		case last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= lineRunes:
			lines[last] += " " + word
		case len(lines) == 3:
			lines[last] = strings.TrimSuffix(lines[last], "…") + "…"
			return lines
		default:
			if runes := []rune(word); len(runes) > lineRunes {
				word = string(runes[:lineRunes-1]) + "…"
			}
			lines = append(lines, word)
		}
	}
	return lines
}

// Legend says what the fillings mean; talked has the filling of rounds after talking too.
func Legend(talked bool) template.HTML {
	swatch := func(fill, edge string) string {
		return `<svg width="22" height="14" viewBox="0 0 22 14" aria-hidden="true"><defs><pattern id="hatch-key" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f3dcae"/><rect width="2.5" height="6" fill="#c08327"/></pattern></defs><rect x=".5" y=".5" width="21" height="13" fill="` + fill + `" stroke="` + edge + `"/></svg>`
	}
	more := ""
	if talked {
		name := lang.Text("report.talked")
		more = swatch("#d6e6da", "#2f6b45") + " " + html.EscapeString(name["id"]) + ` <i>` + html.EscapeString(name["en"]) + `</i> &nbsp; `
	}
	return template.HTML(`<p class="legend">` + swatch("url(#hatch-key)", "#8a5a12") + ` sebelum film <i>before the film</i> &nbsp; ` +
		swatch("#2f6b45", "#2f6b45") + ` sesudah film <i>after the film</i> &nbsp; ` + more +
		`<svg width="26" height="14" viewBox="0 0 26 14" aria-hidden="true"><path d="M3 7H23M3 3v8M23 3v8" stroke="#1c1f3a" stroke-width="1.5"/></svg> selang kepercayaan 95% <i>95% confidence interval</i></p>`)
}

// Style is the CSS of a page with charts. It holds no address, so nothing is fetched.
const Style template.CSS = `
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#fbf6e9;color:#1c1f3a;font:17px/1.5 "Noto Sans",system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.2rem 1.1rem 3rem}
header{background:#2a3166;color:#f4ead2;border-bottom:7px solid #b5532d}
header div{max-width:60rem;margin:0 auto;padding:1.2rem 1.1rem}
h1{font-size:1.55rem;line-height:1.2;margin:0 0 .35rem}
h2{font-size:1.25rem;line-height:1.25;margin:2.2rem 0 .6rem}
h3{font-size:1.05rem;line-height:1.35;margin:0 0 .2rem}
p{margin:.5rem 0}
i{font-style:normal;color:#5b5e80;font-size:.88em}
header i{color:#c9c9e4}
.big{font-size:3.4rem;line-height:1;font-weight:700;margin:.2rem 0 0}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,23rem),1fr));align-items:start}
.card{background:#fff;border:1px solid #d9cfb4;border-radius:10px;padding:1rem}
.chart{display:block;width:100%;max-width:440px;height:auto;margin-top:.7rem}
.chart text{font:13px "Noto Sans",system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:#1c1f3a}
.chart .value{font-weight:600}
.legend{font-size:.92rem}.legend svg{vertical-align:-2px}
.note{border-left:5px solid #b5532d;background:#f8e8d6;padding:.6rem .9rem;border-radius:0 8px 8px 0}
.wide{overflow-x:auto}
table{overflow-wrap:break-word;border-collapse:collapse;width:100%;background:#fff;font-size:.95rem}
th,td{padding:.45rem .6rem;border-bottom:1px solid #e3dac2;text-align:left;vertical-align:top}
th{background:#efe4c9;font-weight:600}th i{display:block}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
a{color:#2a3a9a}
dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:.4rem 0}
dt{color:#5b5e80}dd{margin:0}
@media print{body{background:#fff}.card{break-inside:avoid}}
`

// CannotShow is what no figure of a report can tell, in Indonesian and English.
var CannotShow = [2]string{
	"Orang yang menjawab sebelum dan sesudah film tidak dicocokkan satu per satu: kiosk tidak mengenal siapa pun. Selisihnya bisa juga karena orang lain yang menjawab, karena diskusi, atau karena ikut tetangga. Selang kepercayaan memandang setiap jawaban berdiri sendiri, padahal orang seruangan saling memengaruhi; jadi ketidakpastiannya lebih besar daripada yang tertulis. Angka ini tidak menunjukkan bahwa film mengubah perilaku, dan penonton bukan contoh acak dari penduduk.",
	"Those who answered before and after the film are not matched: the kiosk knows nobody. A difference may also come from other people answering, from the talk, or from following a neighbour. The intervals take each answer as independent, but people in one room influence one another, so the true uncertainty is larger. The figures do not show that the film changed what people do, and an audience is no random sample of the population.",
}
