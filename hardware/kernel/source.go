package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Source makes batches. The batch of a step is a function of the source and the number of the step
// alone, so that a resumed run sees what an uninterrupted one would have seen.
type Source interface {
	// Fill overwrites every element of a batch, whose slices have the model's lengths.
	Fill(step int, b *Batch)
}

// RandomTokens is a source of uniform tokens, for timing: there is nothing to learn in it and no
// padding.
type RandomTokens struct {
	Vocab int
	Seed  uint64
}

// Fill draws every input and target.
func (s RandomTokens) Fill(step int, b *Batch) {
	r := rand.New(rand.NewPCG(s.Seed, uint64(step)))
	for _, ids := range [][]int32{b.Inputs, b.Targets} {
		for i := range ids {
			ids[i] = int32(r.IntN(s.Vocab))
		}
	}
	for _, mask := range [][]bool{b.InputMask, b.TargetLoss} {
		for i := range mask {
			mask[i] = true
		}
	}
}

// Tokens of the byte vocabulary, as in ByT5 (Xue et al. 2022, section 3.1, arXiv 2105.13626).
// Sentinels are the last of the vocabulary, counted downwards.
const (
	padToken  = 0
	endToken  = 1
	firstByte = 3 // 2 is the unknown token, which bytes never need
	tokenizer = "bytes"
)

// SpanCorruption is a source over the bytes of a text. Of a random stretch it takes out spans, each
// of which a sentinel replaces; the target is every sentinel with the bytes it stands for, and both
// end in an end token.
//
// Stretches are as long as the model's lengths allow; padding fills up the rest. Source: Raffel et
// al. 2020, section 3.1.4, arXiv 1910.10683, with the segmentation of its released code: a stretch
// begins with kept bytes, and the lengths of spans and of what lies between are uniform over all
// ways to divide their totals.
type SpanCorruption struct {
	text         []byte
	vocab        int
	seed         uint64
	inputLength  int
	targetLength int
	stretch      int // bytes taken
	noise, spans int // bytes corrupted, in how many spans
	lastInput    int // tokens of an input, end token included
	lastTarget   int
	starts       []bool // scratch: where segments start
}

// Corruption of the T5 recipe.
const (
	noiseDensity = 0.15
	meanSpan     = 3
)

// NewSpanCorruption returns a source for models of the given options and vocabulary. The error is
// an [*OptionError] if the vocabulary is too small for bytes and sentinels, the lengths too short
// for a span, or the text shorter than a stretch.
func NewSpanCorruption(text []byte, o Options, vocab int, seed uint64) (*SpanCorruption, error) {
	s := &SpanCorruption{
		text: text, vocab: vocab, seed: seed, inputLength: o.EncoderLength,
		targetLength: o.DecoderLength,
	}
	for length := 2; ; length++ {
		noise := max(1, int(math.Round(float64(length)*noiseDensity)))
		spans := max(1, int(math.Round(float64(noise)/meanSpan)))
		input, target := length-noise+spans+1, noise+spans+1
		if input > o.EncoderLength || target > o.DecoderLength {
			break
		}
		s.stretch, s.noise, s.spans, s.lastInput, s.lastTarget = length, noise, spans, input, target
	}
	if s.stretch == 0 {
		return nil, &OptionError{
			"encoder_length and decoder_length", fmt.Sprintf("%d and %d", o.EncoderLength, o.DecoderLength),
			"at least 3 and 3 for span corruption",
		}
	}
	if least := firstByte + 256 + s.spans; vocab < least {
		return nil, &OptionError{
			"vocab", fmt.Sprint(vocab), fmt.Sprintf("at least %d for bytes and %d sentinels", least, s.spans),
		}
	}
	if len(text) < s.stretch {
		return nil, &OptionError{
			"text", fmt.Sprintf("%d bytes", len(text)), fmt.Sprintf("at least %d", s.stretch),
		}
	}
	s.starts = make([]bool, s.stretch)
	return s, nil
}

// Fill corrupts one stretch for each sequence.
func (s *SpanCorruption) Fill(step int, b *Batch) {
	r := rand.New(rand.NewPCG(s.seed, uint64(step)))
	for n := 0; n*s.inputLength < len(b.Inputs); n++ {
		input, target := b.Inputs[n*s.inputLength:][:s.inputLength],
			b.Targets[n*s.targetLength:][:s.targetLength]
		from := r.IntN(len(s.text) - s.stretch + 1)
		s.corrupt(r, s.text[from:from+s.stretch], input, target)
		for i := range input {
			b.InputMask[n*s.inputLength+i] = i < s.lastInput
		}
		for i := range target {
			b.TargetLoss[n*s.targetLength+i] = i < s.lastTarget
		}
	}
}

func (s *SpanCorruption) corrupt(r *rand.Rand, text []byte, input, target []int32) {
	clear(input)
	clear(target)
	kept, noise := s.starts[:len(text)-s.noise], s.starts[len(text)-s.noise:]
	divide(r, kept, s.spans)
	divide(r, noise, s.spans)
	i, t := 0, 0
	for span := range s.spans {
		var length int
		length, kept = segment(kept)
		for _, c := range text[:length] {
			input[i] = firstByte + int32(c)
			i++
		}
		text = text[length:]
		sentinel := int32(s.vocab - 1 - span)
		input[i], target[t] = sentinel, sentinel
		i, t = i+1, t+1
		length, noise = segment(noise)
		for _, c := range text[:length] {
			target[t] = firstByte + int32(c)
			t++
		}
		text = text[length:]
	}
	input[i], target[t] = endToken, endToken
}

// divide marks where segments start, so that len(starts) things fall into the given number of
// segments of at least one, all ways equally likely.
func divide(r *rand.Rand, starts []bool, segments int) {
	starts[0] = true
	wanted := segments - 1
	for i := 1; i < len(starts); i++ {
		starts[i] = r.IntN(len(starts)-i) < wanted
		if starts[i] {
			wanted--
		}
	}
}

// segment returns the length of the first segment, and the starts behind it.
func segment(starts []bool) (length int, rest []bool) {
	length = 1
	for length < len(starts) && !starts[length] {
		length++
	}
	return length, starts[length:]
}
