package result

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// bothStacks is a value of [Fit.TokensOf].
const bothStacks = "both"

// readFits returns the laws of a document that the fit command wrote as JSON: they predict as those
// that were written, but their certificates are not kept. Refused fits and averages of laws, which
// are not a law, are left out. The error says what is not a fit document.
func readFits(r io.Reader) ([]*learn.Law, error) {
	var doc struct {
		Schema  string `json:"schema"`
		Results []Fit  `json:"results"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return nil, fmt.Errorf("no fit document: %w", err)
	}
	if want := schemaOf("fit"); doc.Schema != want {
		return nil, fmt.Errorf("schema is %q; allowed: %q, as deepnarrow fit -o fit.json writes",
			doc.Schema, want)
	}
	var out []*learn.Law
	for i := range doc.Results {
		f := &doc.Results[i]
		law, err := fit.Lookup(f.Law)
		if part, ok := fit.ShapeAwareOf(f.Columns...); ok && law.Name == part.Name {
			law = part
		}
		if err != nil || f.Refused != nil || len(law.Columns) != len(f.Columns) {
			continue
		}
		saved, err := f.saved(law.On(f.meanings(law)...))
		if err != nil {
			return nil, err
		}
		out = append(out, saved)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no fitted law among %s", quantity.Of(len(doc.Results), "result"))
	}
	return out, nil
}

// ReadLaw returns the law of a fit document that holds one fit; file is its name in errors, each a
// [*records.Error].
func ReadLaw(file string, r io.Reader) (*learn.Law, error) {
	fits, err := readFits(r)
	if err != nil {
		return nil, &records.Error{File: file, Problem: err.Error()}
	}
	if len(fits) > 1 {
		return nil, &records.Error{File: file, Problem: fmt.Sprintf(
			"%d fits; allowed: one, fit without --by, or with --where for one group", len(fits))}
	}
	fits[0].Source = fmt.Sprintf("read from %s, fitted to %s", file,
		quantity.Of(fits[0].Result.Rows, "row"))
	return fits[0], nil
}

// meanings names what the columns of the fit are to other commands: a column that goes by a name of
// this project is that; another's (N, "Model Size") is what the law calls it. Laws of one predictor,
// which call it x, keep the name.
func (f *Fit) meanings(law fit.Law) []string {
	out := slices.Clone(law.Columns)
	for i, name := range f.Columns {
		if len(out) == 1 || records.KindOf(name) != quantity.Number {
			out[i] = name
		}
	}
	return out
}

func (f *Fit) saved(law fit.Law) (*learn.Law, error) {
	s := &learn.Law{
		Result: &fit.Result{Law: law, Rows: f.Rows.Used}, BothStacks: f.TokensOf == bothStacks,
	}
	for _, p := range law.Params {
		e, ok := f.Parameters[p.Name]
		if !ok {
			return s, fmt.Errorf("law %s has no parameter %s in the document", law.Name, p.Name)
		}
		s.Result.Params = append(s.Result.Params, e.Value)
	}
	if f.RMS != nil {
		s.Result.RMS = *f.RMS
	}
	if f.PerParamToken != nil {
		s.PerParamToken = *f.PerParamToken
	}
	if f.Validation != nil {
		s.Result.Validation = *f.Validation
	}
	if f.Objective != nil {
		s.Result.Value = f.Objective.Value
		var err error
		if s.Result.Objective, err = fit.ParseObjective(f.Objective.Name); err != nil {
			return s, err
		}
	}
	if b := f.Bootstrap; b != nil {
		for _, d := range b.Draws {
			if len(d) != len(law.Params) {
				return s, fmt.Errorf("a draw of law %s has %d parameters, want %d", law.Name, len(d),
					len(law.Params))
			}
		}
		s.Draws = &fit.Bootstrapped{
			Law: law, Level: b.Level, Draws: b.Draws, Units: b.Units, Failed: b.Failed,
			Improved: b.Improved,
		}
	}
	return s, nil
}
