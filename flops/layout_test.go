package flops

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestLayoutFor(t *testing.T) {
	w := Workload{Batch: 96}
	for _, c := range []struct{ in, want Layout }{
		{Layout{}, Layout{DP: 1, TP: 1, PP: 1, Interleave: 1, MicroBatch: 96, Accumulate: 1}},
		{Layout{DP: 4}, Layout{DP: 4, TP: 1, PP: 1, Interleave: 1, MicroBatch: 24, Accumulate: 1}},
		{Layout{DP: 4, Accumulate: 3}, Layout{
			DP: 4, TP: 1, PP: 1, Interleave: 1, MicroBatch: 8,
			Accumulate: 3,
		}},
		{Layout{DP: 4, MicroBatch: 2}, Layout{
			DP: 4, TP: 1, PP: 1, Interleave: 1, MicroBatch: 2,
			Accumulate: 12,
		}},
	} {
		if got := c.in.For(w); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.in, got, c.want)
		}
		if got, want := c.in.Devices(), c.want.DP*c.want.TP*c.want.PP; got != want {
			t.Errorf("%+v: %d devices, want %d", c.in, got, want)
		}
	}
}

func TestLayoutListsEveryFault(t *testing.T) {
	small := t5(4, 4, 512, 1000, 64, 6)
	decoder := gpt(10, 512, 2048, 64, 8, 512)
	for _, c := range []struct {
		name   string
		shape  shapes.Shape
		layout Layout
		want   []string // fields, in order
	}{
		{"fits", small, Layout{DP: 4, TP: 2, PP: 2}, nil},
		{
			"axes out of range", small,
			Layout{DP: -1, TP: 1 << 30, ZeRO: 4},
			[]string{"dp", "tp", "zero"},
		},
		{"batch", small, Layout{DP: 7}, []string{"batch"}},
		{"more passes than sequences", small, Layout{DP: 8, Accumulate: 4}, []string{"batch"}},
		{
			"both given", small,
			Layout{DP: 2, MicroBatch: 2, Accumulate: 2},
			[]string{"dp × micro_batch × accumulate"},
		},
		{
			"heads, feed-forward, keys, in both stacks", small,
			Layout{TP: 16},
			[]string{"tp", "tp", "tp", "tp", "tp", "tp"},
		},
		{"too many stages", small, Layout{PP: 9}, []string{"pp"}},
		{
			"sequence lengths", small,
			Layout{TP: 2, SequenceParallel: true},
			[]string{"decoder_length"},
		},
		{
			"interleaved encoder-decoder", small,
			Layout{PP: 2, Interleave: 2},
			[]string{"interleave"},
		},
		{"chunks without stages", decoder, Layout{Interleave: 3}, nil},
		{"uneven chunks", decoder, Layout{PP: 2, Interleave: 2}, []string{"interleave"}},
		{
			"passes against stages", decoder,
			Layout{PP: 2, Interleave: 5, Accumulate: 1},
			[]string{"accumulate"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.layout.Validate(&c.shape, Workload{
				Batch: 16, EncoderLength: 64,
				DecoderLength: 33,
			})
			var invalid *shapes.InvalidError
			var got []string
			if errors.As(err, &invalid) {
				for _, f := range invalid.Faults {
					got = append(got, f.Field)
				}
			} else if err != nil {
				t.Fatalf("untyped error: %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// Stages of an encoder-decoder go to its stacks in proportion to their layers.
func TestEncoderStages(t *testing.T) {
	for _, c := range []struct{ encoder, decoder, stages, want int }{
		{12, 12, 2, 1},
		{12, 12, 4, 2},
		{32, 4, 2, 1},
		{32, 4, 6, 5},
		{4, 32, 36, 4},
		{1, 9, 10, 1},
		{12, 0, 4, 4},
		{0, 12, 4, 0},
	} {
		s := t5(c.encoder, c.decoder, 512, 1024, 64, 8)
		if got := (Layout{PP: c.stages}).encoderStages(&s); got != c.want {
			t.Errorf("%d+%d layers on %d stages: %d encoder stages, want %d", c.encoder, c.decoder,
				c.stages, got, c.want)
		}
	}
}

// A tied table is held by the first stage of each stack and by the last stage, once where they
// coincide; micro-batches in flight fall along the pipeline.
func TestWorstStageIsNamed(t *testing.T) {
	s := t5(12, 12, 768, 3072, 64, 12)
	w := Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128}
	m := mustTrain(t, &s, w, Execution{Attention: UnfusedAttention}, Layout{PP: 4, MicroBatch: 4})
	// Stages 0 and 1 hold six encoder layers each; stage 0 has four micro-batches in flight, stage
	// 1 three, and the decoder's layers save less than half as much.
	if m.Stage != 0 {
		t.Errorf("worst stage %d, want 0", m.Stage)
	}
	alone := mustTrain(t, &s, w, Execution{Attention: UnfusedAttention},
		Layout{PP: 4, MicroBatch: 64})
	closeTo(t, "four in flight of four sequences against one of 64", 4*m.Peak[ActivationBytes],
		alone.Peak[ActivationBytes])
}
