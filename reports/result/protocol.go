package result

import "github.com/deepnarrow/deepnarrow/reports/recommend"

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
