package evidence

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Record is one run of the caller's. Zero means not recorded, but for the layers of a stack that
// the model lacks.
type Record struct {
	Name                         string
	EncoderLayers, DecoderLayers int
	DModel                       int
	Params                       float64 // total parameters, counted as for candidates
	Tokens                       float64 // training tokens
	// of the whole run; stands in for tokens of decoder-only runs, as FLOPs/(6·Params)
	FLOPs float64
	Loss  *float64 // upstream, nats
	Score *float64 // downstream, larger is better
	Group string   // runs of one tokenizer, data set or budget
}

// Kind tells models whose results say nothing of each other.
type Kind uint8

const (
	encoderDecoder Kind = iota
	decoderOnly
	encoderOnly
)

var kindNames = [...]string{"encoder-decoder", "decoder-only", "encoder-only"}

func (k Kind) String() string { return kindNames[k] }

// KindOf returns the kind of a model.
func KindOf(s *shapes.Shape) Kind { return kindOf(s.Encoder.Layers, s.Decoder.Layers) }

func kindOf(encoder, decoder int) Kind {
	switch {
	case encoder > 0 && decoder > 0:
		return encoderDecoder
	case decoder > 0:
		return decoderOnly
	}
	return encoderOnly
}

// runTraits are what the laws of recorded runs read, as natural logarithms.
type runTraits struct{ params, depth, width, tokens float64 }

// aspect is ln(d_model/layers).
func (t *runTraits) aspect() float64 { return t.width - t.depth }

func (m *Record) traits() runTraits {
	tokens := m.Tokens
	if tokens == 0 && m.EncoderLayers == 0 {
		tokens = m.FLOPs / (6 * m.Params)
	}
	return runTraits{
		params: math.Log(m.Params), depth: math.Log(float64(m.EncoderLayers + m.DecoderLayers)),
		width: math.Log(float64(m.DModel)), tokens: math.Log(tokens),
	}
}

// UsualLength returns how long recorded runs are: in tokens for each parameter where tokens grow
// with size, else in tokens; both 0 where no run has any.
func UsualLength(records []Record) (perParam, tokens float64) {
	var logs, ratios, params []float64
	for i := range records {
		if m := &records[i]; m.Params > 0 && m.Tokens > 0 {
			logs, ratios, params = append(logs, math.Log(m.Tokens)),
				append(ratios, m.Tokens/m.Params), append(params, math.Log(m.Params))
		}
	}
	switch {
	case len(logs) == 0:
		return 0, 0
	case residualSpread(logs) > enoughVariation && residualSpread(logs, params) <= enoughVariation:
		return fit.Median(ratios), 0
	}
	return 0, math.Exp(fit.Median(logs))
}

// hasTokens says whether tokens are recorded, or follow from FLOPs.
func (m *Record) hasTokens() bool {
	t := m.traits()
	return !math.IsInf(t.tokens, 0) && !math.IsNaN(t.tokens)
}

// usable returns the records that can inform a template, and a note for the rest.
func (b *Basis) usable(template *shapes.Shape) (kept []Record, notes []string) {
	want := KindOf(template)
	var foreign, incomplete int
	for _, m := range b.Records {
		switch {
		case kindOf(m.EncoderLayers, m.DecoderLayers) != want:
			foreign++
		case m.Loss == nil || !(*m.Loss > 0) || !(m.Params > 0) || m.DModel <= 0 ||
			m.EncoderLayers < 0 || m.DecoderLayers < 0 || !(m.Tokens >= 0):
			incomplete++
		default:
			kept = append(kept, m)
		}
	}
	if foreign > 0 {
		notes = append(notes, fmt.Sprintf(
			"left out: %s not of %s models: results of one kind say nothing of another", quantity.Of(foreign, "record"), want))
	}
	if incomplete > 0 {
		notes = append(notes, fmt.Sprintf(
			"left out: %s without a positive loss, params, d_model or layers",
			quantity.Of(incomplete, "record")))
	}
	return kept, notes
}
