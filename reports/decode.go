package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// decodeHeadline is how long an answer takes, nothing where that was not asked or is not known.
func decodeHeadline(d *plan.Decoded) []string {
	if d == nil || d.Decoding == nil {
		return nil
	}
	q := d.Decoding
	return []string{fmt.Sprintf("An answer takes %s, a token %s; one copy needs %s.",
		quantity.FormatInterval(quantity.Duration, q.TotalSeconds),
		quantity.FormatInterval(quantity.Duration, q.StepSeconds),
		quantity.Format(quantity.Bytes, q.Memory.PeakBytes, 0))}
}

// decodeTable compares the latency of answers, a row each.
func decodeTable(plans []Planned) Table {
	t := Table{
		Title: "Generating an answer",
		Columns: []Column{
			{Title: "shape"},
			{Title: "hardware", Optional: 4},
			{Title: "batch", Optional: 3},
			{Title: "latency", Kind: quantity.Duration},
			{Title: "encoder and prompt", Kind: quantity.Duration, Optional: 2},
			{Title: "one token", Kind: quantity.Duration},
			{Title: "tokens", Kind: quantity.PerSecond},
			{Title: "bottleneck", Optional: 1},
			{Title: "memory", Kind: quantity.Bytes},
			{Title: "fits"},
		},
		Notes: []string{fmt.Sprintf(
			"Intervals are %.0f %%. One copy of the model. --stack engine or --compiled yes: compiled, not eager.", 100*hardware.Level)},
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
