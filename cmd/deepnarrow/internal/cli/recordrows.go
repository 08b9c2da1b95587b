package cli

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/data/records"
	"github.com/deepnarrow/deepnarrow/shapes/recommend"
)

// recordRows reads runs as the evidence of a recommendation. encoder_layers and
// decoder_layers tell the architecture; with a column layers alone the models
// are decoder-only.
func (a *app) recordRows(f *runFlags, file, group string) ([]recommend.Record, error) {
	table, err := a.runs(f, []string{file}, "loss")
	if err != nil {
		return nil, err
	}
	groups := make([]string, table.Len())
	if group != "" {
		if groups, err = table.Text(group); err != nil {
			return nil, columnError(err)
		}
	}
	names, err := table.Text("shape")
	if err != nil {
		names = make([]string, table.Len())
	}
	columns := map[string]*records.Numbers{}
	for _, name := range []string{"params", "tokens", "flops", "d_model", "encoder_layers", "decoder_layers", "layers", "loss", "score"} {
		if n, err := table.Numbers(name); err == nil {
			columns[name] = n
		}
	}
	for _, needed := range []string{"params", "d_model"} {
		if columns[needed] == nil {
			return nil, badInput(fmt.Errorf("%s: no column %s", file, needed), "name the shapes in a column shape, or give params, d_model and layers; --map names other columns")
		}
	}
	number := func(name string, row int) float64 {
		if n := columns[name]; n != nil && !math.IsNaN(n.Values[row]) {
			return n.Values[row]
		}
		return 0
	}
	outcome := func(name string, row int) *float64 {
		n := columns[name]
		if n == nil || math.IsNaN(n.Values[row]) {
			return nil
		}
		return &n.Values[row]
	}
	var out []recommend.Record
	for _, row := range table.Rows {
		r := recommend.Record{
			Name: names[row], Group: groups[row], DModel: int(number("d_model", row)), Params: number("params", row), Tokens: number("tokens", row), FLOPs: number("flops", row),
			EncoderLayers: int(number("encoder_layers", row)), DecoderLayers: int(number("decoder_layers", row)),
			Loss: outcome("loss", row), Score: outcome("score", row),
		}
		if r.EncoderLayers+r.DecoderLayers == 0 {
			r.DecoderLayers = int(number("layers", row))
		}
		out = append(out, r)
	}
	return out, nil
}
