package records

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// kinds are the columns this project knows and what they measure.
var kinds = map[string]quantity.Kind{
	"params": quantity.Params, "non_embedding_params": quantity.Params,
	"encoder_params": quantity.Params, "decoder_params": quantity.Params,
	"tokens": quantity.Tokens, "unique_tokens": quantity.Tokens,
	"flops": quantity.FLOP, "data_bytes": quantity.Bytes,
	"loss": quantity.Number, "score": quantity.Number,
	"step": quantity.Count, "layers": quantity.Count, "encoder_layers": quantity.Count,
	"decoder_layers": quantity.Count,
	"d_model":        quantity.Count, "d_ff": quantity.Count, "d_kv": quantity.Count,
	"heads": quantity.Count, "vocab": quantity.Count,
	"seconds": quantity.Duration,
}

// KindOf returns what a column of that name measures: a plain number unless the name is one of this
// project's.
func KindOf(name string) quantity.Kind {
	return kinds[fold(name)] // the zero kind is Number
}

// ParseAmount reads an amount as a cell of the named column would be: a bare number is in the base
// unit. The error is a [*quantity.Error].
func ParseAmount(column, text string) (float64, error) {
	r, err := quantity.Header{Name: column}.Reader(KindOf(column))
	if err != nil {
		return 0, err
	}
	return r.Parse(text)
}

// unitKinds are the kinds whose unit in a heading is believed under any name. Counts are not among
// them: their units are single letters.
var unitKinds = []quantity.Kind{
	quantity.FLOP, quantity.FLOPRate, quantity.Bytes, quantity.ByteRate,
	quantity.Duration, quantity.Energy, quantity.Power,
}

// splitHeading takes a unit off a heading when it is one: "loss (val)" stays whole.
func splitHeading(heading string) quantity.Header {
	h := quantity.ParseHeader(heading)
	if h.Unit == "" {
		return h
	}
	for _, k := range append([]quantity.Kind{KindOf(h.Name)}, unitKinds...) {
		if _, err := h.Reader(k); err == nil && k != quantity.Number {
			return h
		}
	}
	return quantity.Header{Name: heading}
}

// reader returns what the column measures when it is used under a name, and the parser of its
// cells. A heading's bracket counts as a unit when it is one of that kind; one of another kind is
// an error.
func (c *column) reader(name string) (quantity.Kind, quantity.CellReader, error) {
	kind := KindOf(name)
	if kind == quantity.Number {
		kind = KindOf(c.head.Name)
	}
	head := quantity.ParseHeader(c.heading)
	r, err := head.Reader(kind)
	if err == nil && kind != quantity.Number {
		return kind, r, nil
	}
	for _, k := range unitKinds {
		other, no := head.Reader(k)
		switch {
		case no != nil || head.Unit == "":
		case kind == quantity.Number:
			return k, other, nil
		default:
			return kind, r, err
		}
	}
	r, err = quantity.Header{Name: c.heading}.Reader(kind)
	return kind, r, err
}
