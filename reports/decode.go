package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

type decodeFields struct {
	Workload        *workloadFields `json:"workload,omitempty"`
	Devices         int             `json:"devices,omitempty"`
	LatencySeconds  *interval       `json:"latency_seconds,omitempty"`
	EncoderSeconds  *interval       `json:"encoder_seconds,omitempty"`
	PrefillSeconds  *interval       `json:"prefill_seconds,omitempty"`
	StepSeconds     *interval       `json:"step_seconds,omitempty"`
	Generated       int             `json:"generated,omitempty"`
	TokensPerSecond float64         `json:"tokens_per_second,omitempty"`
	Bound           string          `json:"bound,omitempty"`
	Memory          *memoryFields   `json:"memory,omitempty"`
	TokenBytes      float64         `json:"cache_bytes_per_token,omitempty"`
	SourceBytes     float64         `json:"cross_cache_bytes_per_token,omitempty"`
	Missing         string          `json:"missing,omitempty"`
}

func decodeOf(a *plan.Answer) *decodeFields {
	d := a.Decode
	switch {
	case d == nil:
		return nil
	case d.Decoding == nil:
		return &decodeFields{Missing: d.Missing}
	}
	q := d.Decoding
	w, m := workloadOf(&a.Run.Shape, d.Workload), memoryOf(&q.Memory, q.Fits)
	f := decodeFields{
		Workload: &w, Devices: d.Devices, LatencySeconds: &q.TotalSeconds,
		StepSeconds: &q.StepSeconds, Generated: q.Generated,
		TokensPerSecond: q.TokensPerSecond, Bound: string(q.Bound), Memory: &m,
	}
	f.TokenBytes, f.SourceBytes = cacheOf(a)
	if q.EncoderSeconds.Value > 0 {
		f.EncoderSeconds = &q.EncoderSeconds
	}
	if q.PrefillSeconds.Value > 0 {
		f.PrefillSeconds = &q.PrefillSeconds
	}
	return &f
}

// cacheOf returns the bytes a whole model caches for one position of an answer and of its source.
func cacheOf(a *plan.Answer) (token, source float64) {
	return flops.CacheBytes(&a.Run.Shape, 1, float64(a.Run.Execution.Precision.Bytes().Compute))
}

// decodeTable compares the latency of answers, a row each.
func decodeTable(plans []Planned) Table {
	t := Table{
		Title: "Generating an answer",
		Columns: []Column{
			{Title: "shape"},
			{Title: "hardware"},
			{Title: "batch"},
			{Title: "latency", Kind: quantity.Duration},
			{Title: "encoder and prompt", Kind: quantity.Duration},
			{Title: "one token", Kind: quantity.Duration},
			{Title: "tokens per second", Kind: quantity.PerSecond},
			{Title: "bound by"},
			{Title: "memory", Kind: quantity.Bytes},
			{Title: "fits"},
		},
		Notes: []string{fmt.Sprintf(
			"Intervals are %.0f %%. One copy of the model: the encoder or the prompt once, then a decoder step for every position that is generated, with caches of keys and values. --stack engine or --compiled yes says that no framework dispatches kernel by kernel.", 100*hardware.Level)},
	}
	seen := map[string]bool{}
	for i := range plans {
		p := &plans[i]
		d := p.Decode
		row := []Cell{Text(p.Run.Shape.Name), Text(p.Run.Profile.Name)}
		if d.Decoding == nil {
			t.Rows = append(t.Rows, append(row, make([]Cell, len(t.Columns)-len(row))...))
			if !seen[d.Missing] {
				seen[d.Missing] = true
				t.Notes = append(t.Notes, fmt.Sprintf("No latency: %s.", d.Missing))
			}
			continue
		}
		q := d.Decoding
		encoder := Cell{}
		switch {
		case q.EncoderSeconds.Value > 0:
			encoder = Estimate(q.EncoderSeconds)
		case q.PrefillSeconds.Value > 0:
			encoder = Estimate(q.PrefillSeconds)
		}
		t.Rows = append(t.Rows, append(row, Text(workloadText(&p.Run.Shape, d.Workload)),
			Estimate(q.TotalSeconds), encoder,
			Estimate(q.StepSeconds), Amount(q.TokensPerSecond), Text(string(q.Bound)),
			Amount(q.Memory.PeakBytes), Text(yesNo(q.Fits))))
	}
	return t
}
