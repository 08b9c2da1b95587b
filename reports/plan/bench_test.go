package plan

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func BenchmarkAnswer(b *testing.B) {
	s, err := shapes.Lookup("t5-base")
	if err != nil {
		b.Fatal(err)
	}
	p, err := hardware.Parse("a100")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		q    Question
	}{
		{"counts", Question{Shape: s, Decode: 1}},
		{"a100", Question{Shape: s, Profile: &p, Devices: 8, Decode: 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.q.Answer(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
