package records

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// derive computes a column that no file has, or returns nil. It is then known under its name and
// listed by Derived.
func (t *Table) derive(name string) *column {
	n, how := t.compute(name)
	if n == nil {
		return nil
	}
	c := &column{heading: name, derived: n, how: how}
	t.aliases[name] = c
	return c
}

// compute returns a column made from others, nil when they are lacking.
func (t *Table) compute(name string) (n *Numbers, how string) {
	switch name {
	case "params":
		return t.ofShapes("counted", func(s *shapeRow) (float64, error) { return float64(s.params.Total), s.needsVocab() })
	case "non_embedding_params":
		return t.ofShapes("counted", func(s *shapeRow) (float64, error) { return float64(s.params.NonEmbedding), nil })
	case "encoder_params":
		return t.paramsOf(flops.EncoderAttention, flops.EncoderFFN, flops.EncoderNorm)
	case "decoder_params":
		return t.paramsOf(flops.DecoderAttention, flops.DecoderCrossAttention, flops.DecoderFFN, flops.DecoderNorm)
	case "d_model":
		return t.ofShapes("read", func(s *shapeRow) (float64, error) { return float64(s.shape.DModel), nil })
	case "layers":
		return t.ofShapes("encoder plus decoder layers, read", func(s *shapeRow) (float64, error) {
			return float64(s.shape.Encoder.Layers + s.shape.Decoder.Layers), nil
		})
	case "encoder_layers":
		return t.ofShapes("read", func(s *shapeRow) (float64, error) { return float64(s.shape.Encoder.Layers), nil })
	case "decoder_layers":
		return t.ofShapes("read", func(s *shapeRow) (float64, error) { return float64(s.shape.Decoder.Layers), nil })
	case "tokens":
		return t.tokensOfFLOPs()
	case "flops":
		return t.flopsOfRun()
	}
	return nil, ""
}

// paramsOf returns the parameters of one stack, layers and last norm, without tables: what the laws of
// encoder and decoder read (Ghorbani et al. 2021, §2, arXiv 2109.07740).
func (t *Table) paramsOf(parts ...flops.Component) (*Numbers, string) {
	return t.ofShapes("counted", func(s *shapeRow) (float64, error) {
		sum := 0.0
		for _, c := range parts {
			sum += float64(s.params.By[c])
		}
		return sum, nil
	})
}

// tokensOfFLOPs returns flops/(6·params).
func (t *Table) tokensOfFLOPs() (*Numbers, string) {
	c, params := t.recorded("flops"), t.recorded("params")
	if c == nil || params == nil {
		return nil, ""
	}
	return combine(c, params, func(f, n float64) float64 { return f / (6 * n) }), "flops/(6·params)"
}

// flopsOfRun returns the matmul FLOPs of a training run over its tokens where shapes are known,
// else 6·params·tokens.
func (t *Table) flopsOfRun() (*Numbers, string) {
	tokens := t.recorded("tokens")
	if tokens == nil {
		return nil, ""
	}
	perToken, _ := t.ofShapes("", func(s *shapeRow) (float64, error) {
		w := flops.DefaultWorkload(&s.shape)
		return flops.CountUnder(flops.MatmulConvention, &s.shape, w,
			flops.RecomputeNone).Step / float64(w.TrainingTokens(&s.shape)), s.needsVocab()
	})
	if perToken != nil && perToken.faults < t.Len() {
		return combine(tokens, perToken, func(d, f float64) float64 { return d * f }), "counted from the shape under the matmul convention at the default lengths, times tokens"
	}
	params := t.recorded("params")
	if params == nil {
		return nil, ""
	}
	return combine(params, tokens, func(n, d float64) float64 { return 6 * n * d }), "6·params·tokens"
}

// recorded returns a column that a file has, or nil.
func (t *Table) recorded(name string) *Numbers {
	if _, err := t.find(name); err != nil {
		return nil
	}
	n, err := t.Numbers(name)
	if err != nil {
		return nil
	}
	return n
}

func combine(a, b *Numbers, f func(a, b float64) float64) *Numbers {
	out := &Numbers{Values: make([]float64, len(a.Values))}
	for i := range out.Values {
		out.Values[i] = f(a.Values[i], b.Values[i])
		if math.IsInf(out.Values[i], 0) {
			out.Values[i] = math.NaN()
		}
		if math.IsNaN(out.Values[i]) && (a.faulty(i) || b.faulty(i)) {
			out.faults++
		}
	}
	out.fault = func(row int) string {
		for _, n := range []*Numbers{a, b} {
			if n.faulty(row) {
				return n.Fault(row)
			}
		}
		return ""
	}
	return out
}

// faulty tells a cell that is there and not a number.
func (n *Numbers) faulty(row int) bool {
	return math.IsNaN(n.Values[row]) && n.fault != nil && n.fault(row) != ""
}

// shapeReader finds the shape of a row and remembers it by its text.
type shapeReader struct {
	known map[string]*shapeRow
	ref   func(row int) (ref string, vocabAssumed bool)
	from  string
}

type shapeRow struct {
	shape        shapes.Shape
	params       flops.Parameters
	vocabAssumed bool
	err          error
}

// needsVocab is the error of a number that depends on a vocabulary nobody stated.
func (s *shapeRow) needsVocab() error {
	if s.vocabAssumed {
		return errors.New("the vocabulary is not recorded: a column vocab is needed")
	}
	return nil
}

// ofShapes computes a number from the shape of each row; nil when no column says shapes.
func (t *Table) ofShapes(verb string, number func(*shapeRow) (float64, error)) (*Numbers, string) {
	if t.shapes == nil {
		t.shapes = t.findShapes()
	}
	if t.shapes.ref == nil {
		return nil, ""
	}
	out := &Numbers{Values: make([]float64, t.Len())}
	of := func(row int) (float64, error) {
		s := t.shapes.at(row)
		if s.err != nil {
			return math.NaN(), s.err
		}
		return number(s)
	}
	for row := range out.Values {
		var err error
		if out.Values[row], err = of(row); err != nil {
			out.Values[row] = math.NaN()
			out.faults++
		}
	}
	out.fault = func(row int) string {
		if _, err := of(row); err != nil {
			return err.Error()
		}
		return ""
	}
	return out, verb + " from " + t.shapes.from
}

func (r *shapeReader) at(row int) *shapeRow {
	ref, assumed := r.ref(row)
	s := r.known[ref]
	if s == nil {
		s = &shapeRow{vocabAssumed: assumed}
		if ref == "" {
			s.err = errors.New("no shape recorded")
		} else if s.shape, s.err = shapes.Parse(ref); s.err == nil {
			s.params = flops.CountParameters(&s.shape)
		}
		r.known[ref] = s
	}
	return s
}

// findShapes reads shapes from a column of names or, without one, from columns of dimensions, which
// are taken as those of a T5: the names other programs give (d_model, encoder_layers …) or the
// paper's letters (dm, el …).
func (t *Table) findShapes() *shapeReader {
	r := &shapeReader{known: map[string]*shapeRow{}}
	if names, err := t.Text("shape"); err == nil {
		r.from = "the column shape"
		r.ref = func(row int) (string, bool) { return names[row], false }
		return r
	}
	cells := map[string][]string{}
	for _, d := range []struct{ letters, name string }{
		{"el", "encoder_layers"},
		{"dl", "decoder_layers"},
		{"dm", "d_model"},
		{"ff", "d_ff"},
		{"nh", "heads"},
		{"kv", "d_kv"},
		{"vocab", "vocab"},
	} {
		for _, name := range []string{d.name, d.letters} {
			if c, err := t.Text(name); err == nil && cells[d.letters] == nil {
				cells[d.letters] = c
			}
		}
	}
	for _, needed := range []string{"el", "dl", "dm", "ff", "nh"} {
		if cells[needed] == nil {
			return r
		}
	}
	r.from = "the columns of dimensions, taken as a T5's"
	r.ref = func(row int) (string, bool) {
		var edits []string
		for _, letters := range []string{"el", "dl", "dm", "ff", "nh", "kv", "vocab"} {
			if c := cells[letters]; c != nil {
				edits = append(edits, letters+"="+c[row])
			} else if letters == "kv" {
				edits = append(edits, "kv="+headWidth(cells["dm"][row], cells["nh"][row]))
			}
		}
		return fmt.Sprintf("t5-base/%s", strings.Join(edits, ",")), cells["vocab"] == nil
	}
	return r
}

// headWidth is d_model/heads, the width of a head where none is stated; empty, and then refused as
// an edit, when heads do not divide d_model.
func headWidth(dModel, heads string) string {
	d, err := strconv.Atoi(dModel)
	h, also := strconv.Atoi(heads)
	if err != nil || also != nil || h <= 0 || d%h != 0 {
		return ""
	}
	return strconv.Itoa(d / h)
}
