package measured

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
)

const (
	// sentenceLength is the positions of a translated sentence where a row does not state them: 25
	// words in the test sets of WMT, 1.2 to 1.4 pieces a word.
	sentenceLength = 32

	t5Vocab = 32_128 // the padded vocabulary of the public T5
)

// ReadDecode turns a row of generation speeds into runs, one for each stack that was timed.
// Seconds are those of one batch. Rates that say nothing are returned as [*UnscoredError].
//
// What a row leaves out is filled as for training steps ([Read]), and: both lengths are those of
// a sentence; the vocabulary is T5's.
func ReadDecode(row data.DecodeTime) (runs []Run, unscored []*UnscoredError) {
	for _, rate := range row.Rates {
		id := strings.TrimSpace(row.ID + " " + rate.Stack)
		step := data.StepTime{
			ID: id, Group: row.Model + "|" + row.Hardware, Model: row.Model,
			EncoderLayers: row.EncoderLayers, DecoderLayers: row.DecoderLayers,
			DModel: row.DModel, DFF: row.DFF, Heads: row.Heads, HeadDim: row.HeadDim,
			Vocab: row.Vocab, EncoderLength: row.EncoderLength, DecoderLength: row.DecoderLength,
			GlobalBatch: row.Batch, Precision: row.Precision, Hardware: row.Hardware,
			Stack: rate.Stack, Source: row.Source, Checkpointing: "none",
		}
		var assumed []string
		one := 1
		step.Devices, step.Arch = &one, "dec-only"
		if row.EncoderLayers != nil && *row.EncoderLayers > 0 {
			step.Arch = "enc-dec"
		}
		assume := func(name string, count **int, is int) {
			if *count == nil {
				*count = &is
				assumed = append(assumed, fmt.Sprintf("%s %d", name, is))
			}
		}
		assume("encoder length", &step.EncoderLength, sentenceLength)
		assume("decoder length", &step.DecoderLength, sentenceLength)
		assume("vocabulary", &step.Vocab, t5Vocab)
		if rate.TokensPerSecond == nil {
			unscored = append(unscored, &UnscoredError{id, "the rate is " + rate.Text})
			continue
		}
		each := float64(or(row.Batch, 1) * *step.DecoderLength)
		seconds := each / *rate.TokensPerSecond
		step.StepSeconds = &seconds
		run, err := Read(step)
		if err != nil {
			unscored = append(unscored, err.(*UnscoredError))
			continue
		}
		run.Run.Generation.Beams = row.Beams
		run.Run.Execution.Attention = flops.UnfusedAttention
		run.Assumed = append(assumed, run.Assumed...)
		runs = append(runs, run)
	}
	return runs, unscored
}
