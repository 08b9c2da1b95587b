package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Workload is the data of one training step: how many sequences of which lengths. Lengths count
// positions, padding included. The length of a stack that a shape lacks is ignored.
type Workload struct {
	Batch         int // sequences in the global batch, B
	EncoderLength int // positions per sequence in the encoder, Se
	DecoderLength int // positions per sequence in the decoder, Sd
}

// PaperWorkload is the pre-training batch of Tay et al. 2021 (arXiv 2109.10686, section 3): 128
// sequences of 512 inputs; span corruption (15 %, mean span 3) leaves targets of 114 positions,
// padded to 128.
var PaperWorkload = Workload{Batch: 128, EncoderLength: 512, DecoderLength: 128}

// DefaultWorkload returns the workload assumed for a shape when none is given: the paper's for
// encoder-decoders, 2,048 positions for decoder-only models and 512 for encoders, each cut to the
// shape's learned positions.
func DefaultWorkload(s *shapes.Shape) Workload {
	w := PaperWorkload
	if s.Encoder.Layers == 0 {
		w.DecoderLength = 2048
	}
	w.EncoderLength = withinPositions(&s.Encoder, w.EncoderLength)
	w.DecoderLength = withinPositions(&s.Decoder, w.DecoderLength)
	if s.Encoder.Frontend.Kind == shapes.Audio && s.Encoder.Layers > 0 {
		// 30 s of audio after the stride (Radford et al. 2022, arXiv 2212.04356, section 2.2)
		w.EncoderLength = 1500
	}
	return w
}

func withinPositions(k *shapes.Stack, length int) int {
	if k.Position == shapes.Learned && k.Layers > 0 {
		return min(length, k.Positions)
	}
	return length
}

// Validate returns nil or an [*shapes.InvalidError] with everything that makes the workload
// impossible for the shape.
func (w Workload) Validate(s *shapes.Shape) error {
	var faults shapes.Faults
	faults.Within("batch", w.Batch, 1, maxBatch)
	if s.Encoder.Layers > 0 {
		faults.Within("encoder_length", w.EncoderLength, 1, withinPositions(&s.Encoder, maxLength))
	}
	if s.Decoder.Layers > 0 {
		faults.Within("decoder_length", w.DecoderLength, 1, withinPositions(&s.Decoder, maxLength))
	}
	return faults.Invalid(s.Name, "workload")
}

// Bounds of a workload: far above any run, small enough that B·S fits an int.
const (
	maxBatch  = 1 << 30
	maxLength = 1 << 24
)

// EncoderTokens returns B·Se, or 0 when the shape has no encoder.
func (w Workload) EncoderTokens(s *shapes.Shape) int {
	if s.Encoder.Layers == 0 {
		return 0
	}
	return w.Batch * w.EncoderLength
}

// DecoderTokens returns B·Sd, or 0 when the shape has no decoder.
func (w Workload) DecoderTokens(s *shapes.Shape) int {
	if s.Decoder.Layers == 0 {
		return 0
	}
	return w.Batch * w.DecoderLength
}

// Tokens returns the positions of one step in both stacks.
func (w Workload) Tokens(s *shapes.Shape) int { return w.EncoderTokens(s) + w.DecoderTokens(s) }

// TrainingTokens returns the tokens of one step as T5 counts them: the inputs of the encoder, so
// that 524,288 steps of 128 × 512 are 34.4B tokens (Raffel et al. 2020, arXiv 1910.10683, section
// 3.1.2). A decoder-only model counts its decoder's.
func (w Workload) TrainingTokens(s *shapes.Shape) int {
	if s.Encoder.Layers > 0 {
		return w.EncoderTokens(s)
	}
	return w.DecoderTokens(s)
}

// LogitTokens returns the positions that get logits: the decoder's, or the encoder's when there is
// no decoder; 0 for a model without head.
func (w Workload) LogitTokens(s *shapes.Shape) int {
	switch {
	case s.Head == shapes.HeadNone:
		return 0
	case s.Decoder.Layers > 0:
		return w.DecoderTokens(s)
	default:
		return w.EncoderTokens(s)
	}
}
