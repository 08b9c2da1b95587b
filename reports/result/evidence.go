package result

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// SecondOpinion is one published set with how far it orders its models as the law does.
type SecondOpinion struct {
	Set        string      `json:"set"`
	Title      string      `json:"title"`
	Models     string      `json:"models"`
	Numbers    int         `json:"numbers"`
	Evidence   string      `json:"evidence"` // weakest class of the numbers
	Rank       *float64    `json:"rank_correlation,omitempty"`
	Agreements []Agreement `json:"agreements"`
	Source     string      `json:"source"`
	Note       string      `json:"note,omitempty"`
}

// Agreement is of the models of a set that differ in one operation alone.
type Agreement struct {
	Op       string   `json:"op"`
	Pairs    int      `json:"pairs"`
	Agree    int      `json:"agree"`
	Metric   string   `json:"metric"`
	Slope    float64  `json:"slope"`
	LawSlope float64  `json:"law_slope"`
	Against  []string `json:"against,omitempty"`
}

// SecondOpinionOf returns a second opinion as JSON writes it.
func SecondOpinionOf(o *evidence.SecondOpinion) SecondOpinion {
	f := SecondOpinion{
		Set: o.Name, Title: o.Title, Models: o.Models, Numbers: o.Numbers,
		Evidence: string(o.Weakest), Rank: o.Rank, Agreements: []Agreement{},
		Source: o.Source, Note: o.Note,
	}
	for _, a := range o.Agreements {
		f.Agreements = append(f.Agreements,
			Agreement{a.Op, a.Pairs, a.Agree, a.Metric, a.Slope, a.LawSlope, a.Against})
	}
	return f
}

// Explanation is where the numbers of a recommended row come from.
type Explanation struct {
	Costs    []Derived       `json:"costs"`
	Quality  []Derived       `json:"quality"`
	Evidence []Cited         `json:"evidence"`
	Opinions []SecondOpinion `json:"second_opinions,omitempty"`
}

// Derived is a number with its formula.
type Derived struct {
	Name    string            `json:"name"`
	Value   quantity.Interval `json:"value"`
	Formula string            `json:"formula"`
	Where   string            `json:"where"`
}

// Cited is a measured row behind a quality.
type Cited struct {
	Name          string   `json:"name"`
	Shape         string   `json:"shape,omitempty"`
	Distance      float64  `json:"distance"`
	Upstream      *float64 `json:"upstream,omitempty"`
	UpstreamLaw   *float64 `json:"upstream_law,omitempty"`
	Downstream    *float64 `json:"downstream,omitempty"`
	DownstreamLaw *float64 `json:"downstream_law,omitempty"`
	Evidence      string   `json:"evidence,omitempty"`
	Sources       []string `json:"sources,omitempty"`
}

// DerivedOf returns a number with its formula as JSON writes it.
func DerivedOf(d *evidence.Derived) Derived {
	return Derived{d.Name, d.Value, d.Formula, d.Where}
}
