package figure

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
)

func sampleClouds() []Cloud {
	return []Cloud{
		{Name: "anchor", Reference: true, Points: []Mark{{
			X: 223e6, Y: 79.2, Low: 78.7, High: 79.7,
			Label: "t5-base", Solid: true,
		}}},
		{Name: "released", Colour: 1, Points: []Mark{
			{X: 134e6, Y: 78.7, Low: 78.2, High: 79.2, Label: "1", Solid: true},
			{X: 126e6, Y: 79.1, Low: 78.6, High: 79.6, Label: "2"},
		}},
		{Name: "nowhere", Colour: 2, Points: []Mark{{X: 0, Y: 1, Low: 1, High: 1, Label: "none"}}},
	}
}

// TestCloudsSVG: every label and kind is there, and a point at cost 0, which no logarithmic axis
// can show, is counted in the title instead.
func TestCloudsSVG(t *testing.T) {
	var b, again bytes.Buffer
	for _, out := range []*bytes.Buffer{&b, &again} {
		if err := WriteClouds(out, SVG, Panel{Title: "Front", X: "params", Y: "score", LogX: true}, sampleClouds()); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		">t5-base<", ">1<", ">2<", ">anchor, measured<",
		">released, measured<", ">released, predicted<", "not shown",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in the drawing", want)
		}
	}
	if strings.Contains(b.String(), "nowhere") {
		t.Error("a kind without visible points is in the legend")
	}
	if b.String() != again.String() {
		t.Error("two drawings of one front differ")
	}
}

func TestCloudsPNG(t *testing.T) {
	var b bytes.Buffer
	if err := WriteClouds(&b, PNG, Panel{LogX: true}, sampleClouds()); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&b); err != nil {
		t.Error(err)
	}
}

// TestBars: every part has its label and its text.
func TestBars(t *testing.T) {
	parts := []Bar{{"attention", "3 ms", 1}, {"norms", "1 ms", 1.0 / 3}, {"nothing", "0 s", 0}}
	var b, picture bytes.Buffer
	if err := WriteBars(&b, SVG, "Where it goes", parts); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if !strings.Contains(b.String(), ">"+p.Label+"<") ||
			!strings.Contains(b.String(), ">"+p.Text+"<") {
			t.Errorf("no %s in the drawing", p.Label)
		}
	}
	if err := WriteBars(&picture, PNG, "Where it goes", parts); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&picture); err != nil {
		t.Error(err)
	}
}
