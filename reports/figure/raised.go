package figure

import (
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// raising draws superscript digits as small raised ones: the font has only some of them. All texts of a
// drawing go through it, so it also makes them harmless and short.
type raising struct{ text.Handler }

// mostLetters of a line are drawn: names of groups and runs come from files.
const mostLetters = 64

// shown is a line as it is drawn, without characters that a drawing cannot hold.
func shown(line string) string {
	letters := []rune(plain.Line(line))
	if len(letters) > mostLetters {
		return string(letters[:mostLetters-1]) + "…"
	}
	return string(letters)
}

// Lines are the lines of a text.
func (h raising) Lines(text string) []string {
	lines := h.Handler.Lines(text)
	for i := range lines {
		lines[i] = shown(lines[i])
	}
	return lines
}

const (
	raisedSize = 0.72 // of the text
	raisedBy   = 0.38 // of its size
)

var raisedDigits = strings.NewReplacer("⁻", "−", "⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4",
	"⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9")

// piece is a run of text, raised or not.
type piece struct {
	text string
	font font.Font
	up   vg.Length
}

// pieces splits a line where raised digits begin and end.
func pieces(line string, f font.Font) []piece {
	small := f
	small.Size = raisedSize * f.Size
	var out []piece
	raised := false
	for _, r := range line {
		up := strings.ContainsRune("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", r)
		if len(out) == 0 || up != raised {
			next := piece{font: f}
			if up {
				next = piece{font: small, up: raisedBy * f.Size}
			}
			out, raised = append(out, next), up
		}
		out[len(out)-1].text += raisedDigits.Replace(string(r))
	}
	return out
}

// Box returns the bounding box of a line.
func (h raising) Box(line string, f font.Font) (width, height, depth vg.Length) {
	line = shown(line)
	_, height, depth = h.Handler.Box(line, f)
	for _, p := range pieces(line, f) {
		w, _, _ := h.Handler.Box(p.text, p.font)
		width += w
	}
	return width, height, depth
}

// Draw draws a line in its pieces; text without raised digits, and rotated text, in one.
func (h raising) Draw(c vg.Canvas, line string, style text.Style, at vg.Point) {
	line = strings.Join(h.Lines(line), "\n")
	parts := pieces(line, style.Font)
	if len(parts) < 2 || style.Rotation != 0 || strings.Contains(line, "\n") {
		h.Handler.Draw(c, line, style, at)
		return
	}
	width, _, _ := h.Box(line, style.Font)
	at.X += vg.Length(style.XAlign) * width
	style.XAlign = text.XLeft
	// where the handler puts the base line, which is as far up as the font is large
	base := style.Height(parts[0].text)*vg.Length(style.YAlign) - h.Extents(style.Font).Ascent +
		style.Font.Size
	size := style.Font.Size
	for _, p := range parts {
		style.Font = p.font
		h.Handler.Draw(c, p.text, style, vg.Point{
			X: at.X, Y: at.Y + p.up + base*(1-p.font.Size/size),
		})
		w, _, _ := h.Handler.Box(p.text, p.font)
		at.X += w
	}
}
