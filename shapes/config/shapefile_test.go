package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// TestDocumentedExamples reads every example of docs/shape-file.md: shapes, and a table.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/shape-file.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		example := m[1]
		if strings.HasPrefix(example, "name:") || strings.HasPrefix(example, "extends:") {
			r, err := Read("example.yaml", strings.NewReader(example), Options{})
			if err != nil {
				t.Errorf("%s\n%v", example, err)
				continue
			}
			again, err := Read("example.yaml", strings.NewReader(writeYAML(&r.Shape)), Options{})
			if err != nil || again.Shape != r.Shape {
				t.Errorf("%s is written as\n%s%v", example, writeYAML(&r.Shape), err)
			}
			continue
		}
		if _, err := ReadTable("example.yaml", strings.NewReader(example)); err != nil {
			t.Errorf("%s\n%v", example, err)
		}
	}
	for _, table := range [][]shapeField{modelFields(&shapes.Shape{}), stackFields(&shapes.Stack{})} {
		for _, f := range table {
			name, _, _ := strings.Cut(f.name, ".")
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("docs/shape-file.md does not explain %s", name)
			}
		}
	}
}

// TestExportLattice writes shapes around T5's in every format: what a format says reads back as the
// same shape, which [Export] holds, and what it cannot say is named.
func TestExportLattice(t *testing.T) {
	written, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := t5Small()
		s.DModel = 64 * rapid.IntRange(1, 32).Draw(t, "width")
		for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
			k.Layers = rapid.IntRange(1, 36).Draw(t, "layers")
			k.DFF = 128 * rapid.IntRange(1, 64).Draw(t, "d_ff")
			k.Heads = rapid.SampledFrom([]int{4, 8, 12}).Draw(t, "heads")
			k.KVHeads = k.Heads
		}
		if rapid.Bool().Draw(t, "alike") {
			layers := s.Decoder.Layers
			s.Decoder = s.Encoder
			s.Decoder.Layers = layers
		}
		gated, untied := rapid.Bool().Draw(t, "gated"), rapid.Bool().Draw(t, "untied")
		s.Encoder.Gated, s.Decoder.Gated = gated, gated
		if untied {
			s.Head = shapes.HeadUntied
		}
		for _, format := range ExportFormats() {
			_, err := Export(&s, format)
			same := s.Decoder
			same.Layers = s.Encoder.Layers
			alike := same == s.Encoder
			switch must := format == "yaml" || format == "mesh" || alike && (format == "hf" || format == "t5x"); {
			case err == nil:
				written++
			case must:
				t.Fatalf("%s: %v", format, err)
			default:
				refused++
				if cannot, ok := err.(*InexpressibleError); !ok || len(cannot.Fields) == 0 {
					t.Fatalf("%s names no field: %v", format, err)
				}
			}
		}
	})
	t.Logf("%d written, %d refused", written, refused)
}
