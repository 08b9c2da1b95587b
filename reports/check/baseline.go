package check

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Baseline is the measures of earlier configurations, by path and metric.
type Baseline map[string]map[string]float64

const baselineSchema = "deepnarrow/baseline/v1"

// maxBaselineBytes holds the measures of some fifty thousand configurations.
const maxBaselineBytes = 16 << 20

type baselineFile struct {
	Schema  string   `json:"schema"`
	Results Baseline `json:"results"`
}

// ReadBaseline reads what [Baseline.Write] wrote.
func ReadBaseline(name string, in io.Reader) (Baseline, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxBaselineBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(raw) > maxBaselineBytes {
		return nil, fmt.Errorf("%s: is too large; allowed: at most %d bytes", name,
			maxBaselineBytes)
	}
	var f baselineFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%s: is not a baseline: %w", name, err)
	}
	if f.Schema != baselineSchema {
		return nil, fmt.Errorf("%s: schema is %q; allowed: %s", name, f.Schema, baselineSchema)
	}
	return f.Results, nil
}

// baselineOf returns the measures of a result. What was not known is left out.
func baselineOf(costs []Cost) Baseline {
	b := Baseline{}
	for _, c := range costs {
		b[c.Path] = map[string]float64{}
		for _, m := range plan.Metrics() {
			if e := c.Measures[m].Interval; e != nil {
				b[c.Path][m.String()] = e.Value
			}
		}
	}
	return b
}

// Write writes the baseline; equal ones give equal bytes.
func (b Baseline) Write(w io.Writer) error {
	return writeIndented(w, baselineFile{Schema: baselineSchema, Results: b})
}
