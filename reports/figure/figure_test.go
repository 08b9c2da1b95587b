package figure

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

func picture(t *testing.T, f Format, panels ...Panel) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, panels...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever the numbers, a logarithmic axis never panics, and points that it cannot show are counted
// in the title.
func TestLogAxesAreGuarded(t *testing.T) {
	for _, c := range []struct {
		about string
		x, y  []float64
		left  string
	}{
		{"zero and negative", []float64{0, -1, 1, 10}, []float64{1, 1, 2, 3}, "2 points not shown"},
		{"nothing positive", []float64{0, -1}, []float64{0, -1}, "2 points not shown"},
		{"nothing at all", nil, nil, ""},
		{"one point", []float64{5}, []float64{5}, ""},
		{"not finite", []float64{math.NaN(), math.Inf(1), 3}, []float64{1, 2, math.Inf(-1)}, ""},
		{"one value", []float64{2, 2, 2}, []float64{1, 2, 3}, ""},
		{"all doubles", []float64{5e-324, 1e308}, []float64{1, 2}, ""},
	} {
		s := []Series{{X: c.x, Y: c.y}}
		for _, f := range []Format{SVG, PNG, PDF} {
			out := picture(t, f, Panel{
				Title: "t", LogX: true, LogY: true, Points: s, Lines: s,
				Level: true,
			})
			if f == SVG && !strings.Contains(out, c.left) {
				t.Errorf("%s: the picture does not say %q", c.about, c.left)
			}
		}
	}
}

func TestPicturesAreReproducible(t *testing.T) {
	x, y := make([]float64, 50), make([]float64, 50)
	for i := range y {
		x[i] = math.Pow(1000, float64(i)/49)
		y[i] = 1 / x[i]
	}
	p := Panel{
		X: "x", Y: "y", LogX: true, Points: []Series{{Name: "n", X: x, Y: y}},
		Bands: []Band{{X: x, Low: y, High: x}},
	}
	for _, f := range []Format{SVG, PNG, PDF} {
		first, again := picture(t, f, p, p, p, p), picture(t, f, p, p, p, p)
		if first != again {
			t.Errorf("two %s pictures of the same panels differ", f)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for file, want := range map[string]Format{"a.svg": SVG, "b/c.PNG": PNG, "d.pdf": PDF} {
		if f, err := FormatOf(file); err != nil || f != want {
			t.Errorf("%s: %v, %v", file, f, err)
		}
	}
	for _, file := range []string{"a.eps", "a", "png"} {
		if _, err := FormatOf(file); err == nil {
			t.Errorf("%s was accepted", file)
		}
	}
}

// A power of ten is drawn as 10 and a small raised exponent, of plain digits: the font lacks some
// raised ones.
func TestPowersAreRaised(t *testing.T) {
	out := picture(t, SVG, Panel{
		X: "x", Y: "y", LogX: true,
		Points: []Series{{X: []float64{1e18, 1e22}, Y: []float64{1, 2}}},
	})
	for _, want := range []string{">10<", ">19<", ">20<", "font-size:7.2px", "Liberation Sans"} {
		if !strings.Contains(out, want) {
			t.Errorf("the picture has no %s", want)
		}
	}
	if strings.ContainsAny(out, "⁰¹²⁹") || strings.Contains(out, "Serif") {
		t.Error("the picture has raised digits as they are typed, or serifs")
	}
}

func TestFrontByHand(t *testing.T) {
	// Of four points (2, 5) is beaten by (1, 4); the corners step down at x.
	x, y := front([]float64{3, 1, 2, 4}, []float64{3, 4, 5, 1})
	if !slices.Equal(x, []float64{1, 3, 3, 4, 4}) || !slices.Equal(y, []float64{4, 4, 3, 3, 1}) {
		t.Errorf("front %v, %v", x, y)
	}
}

func TestTicks(t *testing.T) {
	labels := func(low, high float64, log bool) string {
		ticks := linearTicks(quantity.Number)(low, high)
		if log {
			ticks = logTicks(quantity.Number)(low, high)
		}
		var out []string
		for _, k := range ticks {
			if k.Label != "" {
				out = append(out, k.Label)
			}
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		low, high float64
		log       bool
		want      string
	}{
		{-0.02, 0.04, false, "-0.02 -0.01 0 0.01 0.02 0.03 0.04"},
		{2, 3.4, false, "2 2.2 2.4 2.6 2.8 3 3.2 3.4"},
		{1e18, 1e22, true, "10¹⁸ 10¹⁹ 10²⁰ 10²¹ 10²²"},
		{4e7, 3e8, true, "5·10⁷ 10⁸ 2·10⁸"},
		{2, 3, true, "2 2.2 2.4 2.6 2.8 3"},
	} {
		if got := labels(c.low, c.high, c.log); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

// TestTextsOfFiles: names that came from files spoil no drawing. An SVG stays XML, a line short, and the
// texts of a PDF are in its fonts' code page.
func TestTextsOfFiles(t *testing.T) {
	p := Panel{Title: "5·10 … é", X: "\x1b[31mred\x00", Y: "]]></svg><script>"}
	x := []float64{1, 2, 3}
	for _, name := range []string{strings.Repeat("a", 9000), "a\nb\r\u2028\u202e", "\xff\ufffe", "α ≤ 中"} {
		p.Points = append(p.Points, Series{Name: name, X: x, Y: x})
	}
	svg := picture(t, SVG, p)
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Error("a name is an element")
		}
	}
	if strings.Contains(svg, strings.Repeat("a", mostLetters)) {
		t.Error("a name is drawn in full")
	}
	texts := ""
	for _, part := range regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`).FindAllStringSubmatch(picture(t, PDF, p), -1) {
		if z, err := zlib.NewReader(strings.NewReader(part[1])); err == nil {
			text, _ := io.ReadAll(z) // a font's ends without its sum
			texts += string(text)
		}
	}
	for _, want := range []string{"5\xb710 \x85 \xe9", "alpha <= ?"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the PDF has no text %q", want)
		}
	}
}
