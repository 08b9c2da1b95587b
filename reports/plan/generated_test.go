package plan

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// An encoder reads the prompt, and the decoder writes nothing but the answer; a decoder-only model
// reads the prompt at its own positions. Without a prompt or a number the workload says.
func TestGenerated(t *testing.T) {
	for name, c := range map[string]struct {
		shape             string
		prompt, positions int
		encoder, decoder  int // lengths
		given             int // prompt left to the decoder
	}{
		"encoder, all as it is":    {"t5-small", 0, 0, 512, 128, 0},
		"encoder, a prompt of one": {"t5-small", 1, 0, 1, 128, 0},
		"encoder, an answer":       {"t5-small", 300, 7, 300, 7, 0},
		"encoder, one position":    {"t5-small", 0, 1, 512, 1, 0},
		"decoder, all as it is":    {"gpt2", 0, 0, 0, 128, 0},
		"decoder, a prompt":        {"gpt2", 100, 0, 0, 128, 100},
		"decoder, an answer":       {"gpt2", 100, 1, 0, 101, 100},
	} {
		run := hardware.Run{
			Profile: *profile(t, "a100"), Shape: shape(t, c.shape), Generation: hardware.Generation{Prompt: c.prompt},
			Workload: flops.Workload{Batch: 1, EncoderLength: 512, DecoderLength: 128},
		}
		if run.Shape.Encoder.Layers == 0 {
			run.Workload.EncoderLength = 0
		}
		d := generated(run, c.positions)
		if d.Decoding == nil || d.Workload.EncoderLength != c.encoder || d.Workload.DecoderLength != c.decoder ||
			d.Run.Generation.Prompt != c.given || d.Decoding.Generated != c.decoder-c.given {
			t.Errorf("%s: %+v", name, d)
		}
	}
	run := hardware.Run{
		Profile: *profile(t, "a100"), Shape: shape(t, "gpt2"), Generation: hardware.Generation{Prompt: 128},
		Workload: flops.Workload{Batch: 1, DecoderLength: 128},
	}
	if d := generated(run, 0); d.Decoding != nil || !strings.Contains(d.Missing, "leaves nothing of 128") {
		t.Errorf("nothing is left to generate: %+v", d)
	}
}

// What nobody asked for is not missing: generation and serving are told of only where they are part
// of the question.
func TestMissingIsOfTheQuestion(t *testing.T) {
	paths := [...]string{DecodeLatency.Path(), LifetimeCost.Path()}
	for name, c := range map[string]struct {
		q    Question
		want [2]bool
	}{
		"neither":    {Question{}, [2]bool{}},
		"generation": {Question{Decode: 1}, [2]bool{true, false}},
		"serving":    {Question{Serving: &Serving{Tokens: 1e9}}, [2]bool{false, true}},
	} {
		c.q.Shape, c.q.Profile = shape(t, "t5-base"), profile(t, "a10g")
		a := answer(t, c.q)
		why := a.Missing()
		for i, path := range paths {
			if _, told := why[path]; told != c.want[i] {
				t.Errorf("%s: %s told %t", name, path, told)
			}
		}
	}
}
