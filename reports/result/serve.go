package result

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Serve is how a model serves its traffic and what that costs, or why that is not known.
type Serve struct {
	Prompt            int           `json:"prompt"` // tokens of a request
	Generate          int           `json:"generate"`
	RequestsPerSecond float64       `json:"requests_per_second,omitempty"` // as stated
	MaxLatencySeconds float64       `json:"max_latency_seconds,omitempty"`
	Sure              float64       `json:"sure,omitempty"`
	Weights           flops.Storage `json:"weights"`

	Batch    int     `json:"batch,omitempty"` // of one copy
	TP       int     `json:"tp,omitempty"`
	Copies   int     `json:"copies,omitempty"`
	Devices  int     `json:"devices,omitempty"`
	Load     float64 `json:"load,omitempty"`
	Compiled *bool   `json:"compiled,omitempty"`

	LatencySeconds *quantity.Interval `json:"latency_seconds,omitempty"`
	EncoderSeconds *quantity.Interval `json:"encoder_seconds,omitempty"`
	PrefillSeconds *quantity.Interval `json:"prefill_seconds,omitempty"`
	StepSeconds    *quantity.Interval `json:"step_seconds,omitempty"`
	Bound          string             `json:"bound,omitempty"`
	CopyRequests   *quantity.Interval `json:"copy_requests_per_second,omitempty"`
	Memory         *Memory            `json:"memory,omitempty"`

	PerMillionIn  *quantity.Interval `json:"usd_per_million_input_tokens,omitempty"`
	PerMillionOut *quantity.Interval `json:"usd_per_million_output_tokens,omitempty"`
	PerMonth      *quantity.Interval `json:"usd_per_month,omitempty"`
	Life          *quantity.Interval `json:"lifetime_usd,omitempty"` // of serving lifetime_tokens
	Tokens        float64            `json:"lifetime_tokens,omitempty"`
	Missing       string             `json:"missing,omitempty"`
}

// ServeOf returns serving as JSON writes it; nil where none is asked for.
func ServeOf(s *plan.Served) *Serve {
	if s == nil {
		return nil
	}
	f := &Serve{
		Prompt: s.Prompt, Generate: s.Generate, RequestsPerSecond: s.PerSecond,
		MaxLatencySeconds: s.MaxSeconds, Sure: s.Sure, Weights: s.Stored, Tokens: s.Tokens,
		Missing: s.Missing,
	}
	d := s.Decoding
	if d == nil {
		return f
	}
	compiled, memory := s.Run.Compiled(), MemoryOf(&d.Memory, d.Fits)
	f.Batch, f.TP, f.Copies, f.Devices, f.Load = s.Batch, s.TP, s.Copies, s.Devices(), s.Load
	f.Compiled, f.Memory, f.Bound = &compiled, &memory, string(d.Bound)
	f.LatencySeconds, f.StepSeconds, f.CopyRequests = &d.TotalSeconds, &d.StepSeconds,
		s.Requests.Interval
	if d.EncoderSeconds.Value > 0 {
		f.EncoderSeconds = &d.EncoderSeconds
	}
	if d.PrefillSeconds.Value > 0 {
		f.PrefillSeconds = &d.PrefillSeconds
	}
	f.PerMillionIn, f.PerMillionOut, f.PerMonth = s.PerMillionIn.Interval,
		s.PerMillionOut.Interval, s.PerMonth.Interval
	if f.Missing = s.PerMonth.Missing; s.Tokens > 0 {
		f.Life = s.Life.Interval
	}
	return f
}

// ServedRow is serving as a row of CSV.
type ServedRow struct {
	Shape       string   `json:"shape"`
	Hardware    string   `json:"hardware"`
	Devices     int      `json:"devices,omitempty"`
	Copies      int      `json:"copies,omitempty"`
	Batch       int      `json:"batch,omitempty"`
	Load        float64  `json:"load,omitempty"`
	Latency     *float64 `json:"latency_seconds"`
	LatencyHigh *float64 `json:"latency_seconds_high"`
	PeakBytes   *float64 `json:"peak_bytes"`
	In          *float64 `json:"usd_per_million_input_tokens"`
	Out         *float64 `json:"usd_per_million_output_tokens"`
	Month       *float64 `json:"usd_per_month"`
	Missing     string   `json:"missing"`
}
