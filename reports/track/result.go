package track

import (
	"time"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Result returns the answer as JSON writes it.
func (a *Answer) Result() result.Track {
	p := a.Plan
	out := result.Track{
		Run: p.Name, Verdict: string(a.Verdict), Findings: []result.TrackFinding{}, Level: p.Level,
		Progress: result.TrackProgress{
			Share: a.Share, Step: a.Step, Steps: p.Steps, Tokens: a.Tokens, Rows: len(a.Log.Points),
		},
		Predicted: result.TrackPredicted{
			StepSeconds: p.StepSeconds, TotalSeconds: p.WallSeconds, USD: p.USD, Goodput: p.Goodput,
			Loss: p.Loss,
		},
		Measured: result.TrackMeasured{
			Ratio: a.Ratio, Stalls: []result.Stall{}, Restarts: a.Log.Restarts, RedoneRows: a.Log.Redone,
			Elapsed: a.Elapsed, Goodput: a.Goodput, USD: a.USD, Loss: a.Loss,
		},
		ToComplete: result.TrackRest{
			Seconds: a.RemainingSeconds, USD: a.RemainingUSD, TotalSeconds: a.TotalSeconds,
			TotalUSD: a.TotalUSD, Loss: a.LossAtEnd,
		},
		Notes: append([]string{}, a.Notes...),
	}
	for _, f := range a.Findings {
		out.Findings = append(out.Findings, result.TrackFinding{Verdict: string(f.Off), Text: f.Text})
	}
	if pace := a.Pace; pace != nil {
		drift := pace.DriftShare()
		out.Measured.StepSeconds, out.Measured.RecentSeconds = &pace.Step, &pace.Recent
		out.Measured.Drift = &drift
		for _, s := range pace.Stalls {
			out.Measured.Stalls = append(out.Measured.Stalls, result.Stall(s))
		}
	}
	if f := a.Finish; f != nil {
		text := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
		out.ToComplete.Finish = &result.Finish{Value: text(f[0]), Low: text(f[1]), High: text(f[2])}
	}
	return out
}
