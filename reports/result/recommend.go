package result

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// Recommended is a result of recommend: one shape, the anchor first.
type Recommended struct {
	Rank     int     `json:"rank"`  // 0 is the anchor
	Among    string  `json:"among"` // anchor, catalogue, lattice or listed
	Shape    Shape   `json:"shape"`
	Pick     bool    `json:"pick"`
	Tie      bool    `json:"tie"`
	AllRound bool    `json:"all_round,omitempty"` // costs no more on any axis, and is as good
	Params   Params  `json:"params"`
	FLOPs    FLOPs   `json:"flops"`
	RunFLOPs float64 `json:"run_flops"`
	Memory   Memory  `json:"memory"`
	Run
	Time     Time               `json:"time"`
	Decode   *quantity.Interval `json:"decode_seconds,omitempty"`
	Cost     Cost               `json:"cost"`
	Serve    *Serve             `json:"serve,omitempty"`
	Saved    Savings            `json:"saved"`
	Quality  Quality            `json:"quality"`
	Evidence string             `json:"evidence"`
	// Readings is the weakest evidence class of the readings behind the quality.
	Readings  string            `json:"readings,omitempty"`
	Nearest   *Nearest          `json:"nearest,omitempty"`
	Published []Published       `json:"published,omitempty"`
	Why       string            `json:"why"`
	Missing   map[string]string `json:"missing,omitempty"`
}

// Savings are the fractions of the anchor that a shape saves: 0.4 is 40 % less, negative is more.
type Savings struct {
	Params   *float64 `json:"params,omitempty"`
	FLOPs    *float64 `json:"flops,omitempty"`
	StepTime *float64 `json:"step_time,omitempty"`
	Memory   *float64 `json:"memory,omitempty"`
	Cost     *float64 `json:"cost,omitempty"`
	Lifetime *float64 `json:"lifetime_cost,omitempty"`
}

// Quality is predicted or measured, with its interval.
type Quality struct {
	Upstream   *quantity.Interval `json:"upstream,omitempty"`
	Downstream *quantity.Interval `json:"downstream,omitempty"`
}

// Nearest is the measured shape that is most alike.
type Nearest struct {
	Shape    string  `json:"shape"`
	Distance float64 `json:"distance"`
}

// Published is a released model of the shape.
type Published struct {
	Model    string `json:"model"`
	Source   string `json:"source"`
	Evidence string `json:"evidence"`
}

// RecommendedOf returns a row as JSON writes it; among says what kind of shape it is.
func RecommendedOf(row *recommend.Row, among string) Recommended {
	f := Recommended{
		Rank: row.Rank, Among: among, Shape: ShapeOf(&row.Shape), Pick: row.Pick, Tie: row.Tie,
		AllRound: row.AllRound,
		Params:   ParamsOf(&row.Params), FLOPs: FLOPsOf(row.FLOPs),
		RunFLOPs: row.RunFLOPs.Interval.Value, Memory: MemoryOf(&row.Memory, row.Fits),
		Run: *RunOf(&row.Run), Time: TimeOf(&row.Answer),
		Decode: row.Decode.Latency().Interval, Cost: CostOf(&row.Schedule.Bill),
		Saved:    savingsOf(&row.Saved),
		Quality:  Quality{row.Quality.Upstream.Interval, row.Quality.Downstream.Interval},
		Evidence: row.Class.String(), Readings: string(row.Evidence), Why: row.Why,
		Missing: row.Missing(),
	}
	f.Time.Parts = nil // plan has them
	f.Cost.Lifetime, f.Serve = row.LifetimeCost().Interval, serveOf(row.Serving)
	if row.Nearest != nil {
		f.Nearest = &Nearest{row.Nearest.Name, row.Nearest.Distance}
	}
	for _, p := range row.Published {
		f.Published = append(f.Published, Published{p.Model, p.Where, string(p.Evidence)})
	}
	for name, reason := range map[string]string{
		"decode_seconds":     row.Decode.Latency().Missing,
		"quality.upstream":   row.Quality.Upstream.Missing,
		"quality.downstream": row.Quality.Downstream.Missing,
	} {
		if reason != "" {
			f.Missing[name] = reason
		}
	}
	return f
}

// savingsOf returns what a row saves as JSON writes it.
func savingsOf(s *recommend.Saved) Savings {
	return Savings{s.Params, s.FLOPs, s.StepTime, s.Memory, s.Cost, s.LifetimeCost}
}

// Pick is the shape to train instead of another to save something.
type Pick struct {
	Like       string  `json:"like"`
	Hardware   string  `json:"hardware,omitempty"`
	Axis       string  `json:"axis"` // what it saves
	Shape      string  `json:"shape"`
	Rank       int     `json:"rank"`
	Saved      Savings `json:"saved"`
	Difference Quality `json:"quality_difference"`
	Evidence   string  `json:"evidence"`
}

// PickOf returns a pick, which is a row, as JSON writes it.
func PickOf(p *recommend.Pick, row *recommend.Row, like, hardware string) Pick {
	return Pick{
		like, hardware, p.Axis.String(), row.Shape.Name, row.Rank, savingsOf(&row.Saved),
		Quality{p.Difference.Upstream.Interval, p.Difference.Downstream.Interval},
		row.Class.String(),
	}
}

// Step is one step of one operation.
type Step struct {
	From        string            `json:"from"`
	Op          string            `json:"op"`
	Value       int               `json:"value"`
	Next        int               `json:"next,omitempty"`
	To          string            `json:"to,omitempty"`
	Params      *int64            `json:"params_change,omitempty"`
	FLOPs       *float64          `json:"flops_change,omitempty"`
	MemoryBytes *float64          `json:"memory_bytes_change,omitempty"`
	StepSeconds *float64          `json:"step_seconds_change,omitempty"`
	USD         *float64          `json:"usd_change,omitempty"`
	Decode      *float64          `json:"decode_seconds_change,omitempty"` // of one answer
	Quality     Quality           `json:"quality_change"`
	Evidence    map[string]string `json:"evidence,omitempty"`
	Missing     map[string]string `json:"missing,omitempty"`
}

// StepOf returns a step as JSON writes it.
func StepOf(s *recommend.Step) Step {
	f := Step{
		From: s.From.Name, Op: s.Op, Value: s.Value, Next: s.Next,
		Evidence: map[string]string{}, Missing: map[string]string{},
	}
	if s.Missing != "" {
		f.Missing["step"] = s.Missing
		return f
	}
	c := &s.Change
	f.To, f.Params, f.FLOPs, f.MemoryBytes, f.StepSeconds, f.USD = s.To.Name, &c.Params, &c.FLOPs,
		&c.MemoryBytes, c.StepSeconds, c.CostUSD
	f.Decode = c.DecodeSeconds
	f.Quality = Quality{Upstream: s.Upstream.Interval, Downstream: s.Downstream.Interval}
	for name, gain := range map[string]recommend.Gain{
		"upstream": s.Upstream, "downstream": s.Downstream,
	} {
		if gain.Interval != nil {
			f.Evidence[name] = gain.Class.String()
		} else {
			f.Missing["quality."+name] = gain.Missing
		}
	}
	return f
}

// Preference is what a published law prefers among recommended rows.
type Preference struct {
	Law     string   `json:"law"`
	Prefers string   `json:"prefers,omitempty"`
	Loss    *float64 `json:"loss,omitempty"`
	Missing string   `json:"missing,omitempty"`
	Source  string   `json:"source"`
}

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
