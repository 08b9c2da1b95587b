package data

import (
	"io"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// DecodeTime is the published speeds of generation with one model on one device: a rate for each
// software stack that was timed.
type DecodeTime struct {
	ID    string
	Model string
	// Shape columns are nil where the source does not carry them.
	EncoderLayers, DecoderLayers *int
	DModel, DFF, Heads, HeadDim  *int
	Vocab                        *int
	// Lengths of a sequence, nil where the source does not state them.
	EncoderLength, DecoderLength *int
	Hardware, Precision          string
	Mode                         string // beam, sampling or greedy
	Beams                        int    // 1 but for beam search
	Batch                        *int   // sequences
	Rates                        []DecodeRate
	Source                       string
	Evidence                     Evidence // empty in a user's file
}

// DecodeRate is the tokens/s of one stack; nil where it ran out of memory or gave nothing.
type DecodeRate struct {
	Stack           string
	TokensPerSecond *float64
	Text            string // the cell
}

// decodeRates are the columns of rates and the stacks that they are of. The stack of tokens_s is in
// the column stack.
var decodeRates = []struct{ column, stack string }{
	{"hf_tokens_s", "huggingface"}, {"ft_tokens_s", "engine"}, {"tokens_s", ""},
}

// HasDecodeRates reports whether a heading is that of a table of generation speeds.
func HasDecodeRates(columns []string) bool {
	return slices.ContainsFunc(decodeRates[:], func(r struct{ column, stack string }) bool {
		return slices.Contains(columns, r.column)
	})
}

var decodeTimes = embedded("facts/decode_times.csv", decodeTime)

// DecodeTimes returns the 56 published rows.
func DecodeTimes() []DecodeTime { return slices.Clone(decodeTimes()) }

// ReadDecodeTimes reads rows in the columns of facts/decode_times.csv, the id and most others
// optional; name stands in the errors.
func ReadDecodeTimes(name string, in io.Reader) ([]DecodeTime, error) {
	return readTable(name, in, decodeTime)
}

func decodeTime(r *row) DecodeTime {
	count := func(names ...string) *int {
		for _, name := range names {
			if value, err := quantity.ParseExact(quantity.Count, r.text(name)); err == nil {
				n := int(value)
				return &n
			}
		}
		return nil
	}
	d := DecodeTime{
		ID: r.text("id"), Model: r.text("model"),
		EncoderLayers: count("layers_enc"), DecoderLayers: count("layers_dec"),
		DModel: count("d_model"), DFF: count("d_ff"), Heads: count("n_heads"),
		HeadDim: count("d_kv", "d_head"), Vocab: count("vocab"),
		EncoderLength: count("seq_enc"), DecoderLength: count("seq_dec"),
		Hardware: r.text("hardware"), Precision: r.text("precision"),
		Mode: strings.ToLower(r.text("mode")), Beams: 1, Batch: count("batch"),
		Source: r.text("source"),
	}
	if n := count("beam_or_top", "beams"); n != nil && strings.HasPrefix(d.Mode, "beam") {
		d.Beams = max(1, *n)
	}
	if r.text("evidence") != "" {
		d.Evidence = r.evidence("evidence")
	}
	for _, c := range decodeRates {
		text := r.text(c.column)
		if text == "" {
			continue
		}
		rate := DecodeRate{Stack: c.stack, Text: text}
		if rate.Stack == "" {
			rate.Stack = strings.ToLower(r.text("stack"))
		}
		if v, err := quantity.Parse(quantity.Number, text); err == nil && v > 0 {
			rate.TokensPerSecond = &v
		}
		d.Rates = append(d.Rates, rate)
	}
	return d
}
