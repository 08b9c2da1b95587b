package compare

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Named is the measures of one result of a document.
type Named struct {
	Name     string // of the shape, and of the hardware where there is one
	Measures plan.Measures
	Answer   *plan.Answer // where it was planned just now; nil for a document's
}

// IsDocument reports whether a text is a result that this program wrote as JSON, by its schema.
func IsDocument(text []byte) bool {
	var head struct {
		Schema string `json:"schema"`
	}
	return json.Unmarshal(text, &head) == nil && strings.HasPrefix(head.Schema, "deepnarrow/")
}

// ReadDocument returns the measures of every result of a count, plan or recommend document. FLOPs
// of another convention than matmul are refused: counts under different conventions are never
// compared.
func ReadDocument(text []byte) ([]Named, error) {
	var head result.Saved
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("is not valid JSON: %w", err)
	}
	if c, ok := head.Conventions["flops"]; ok && c != "matmul" {
		return nil, fmt.Errorf("counts FLOPs under the convention %q; allowed: matmul", c)
	}
	if head.Command() == "" {
		return nil, fmt.Errorf("schema is %.80q; allowed: results of count, plan or recommend as this version writes them", head.Schema)
	}
	var out []Named
	if slices.Contains([]string{"count", "plan", "recommend"}, head.Command()) {
		for i, raw := range head.Results {
			var m result.Measured
			if err := json.Unmarshal(raw, &m); err != nil {
				return nil, fmt.Errorf("result %d is not one of %s: %w", i+1, head.Command(), err)
			}
			n := Named{Name: m.Shape.Name, Measures: m.Measures()}
			if m.Hardware != "" {
				n.Name += " on " + m.Hardware
			}
			if n.Measures != (plan.Measures{}) {
				out = append(out, n)
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf(
			"schema %q has nothing to compare; allowed: results of count, plan or recommend",
			head.Schema)
	}
	return out, nil
}

// Pair is one result on both sides, or on one.
type Pair struct {
	Name        string
	Only        string // "base" or "change" where the other side lacks it
	Differences []Difference
	Fields      []Changed // of shapes
	// the answers that are compared; nil for those of a document
	Base, Change *plan.Answer
}

// documents pairs results by name, or the only result of each side, and returns the metrics that
// differ. Results are compared in the order of the base.
func documents(base, change []Named) []Pair {
	if len(base) == 1 && len(change) == 1 {
		name := base[0].Name
		if change[0].Name != name {
			name += " → " + change[0].Name
		}
		return []Pair{pairOf(name, &base[0], &change[0])}
	}
	var out []Pair
	taken := make([]bool, len(change))
	for _, b := range base {
		i := slices.IndexFunc(change, func(c Named) bool { return c.Name == b.Name })
		if i < 0 || taken[i] {
			out = append(out, Pair{Name: b.Name, Only: "base"})
			continue
		}
		taken[i] = true
		out = append(out, pairOf(b.Name, &b, &change[i]))
	}
	for i, c := range change {
		if !taken[i] {
			out = append(out, Pair{Name: c.Name, Only: "change"})
		}
	}
	return out
}

func pairOf(name string, base, change *Named) Pair {
	return Pair{
		Name: name, Differences: differencesOf(base.Measures, change.Measures),
		Base: base.Answer, Change: change.Answer,
	}
}
