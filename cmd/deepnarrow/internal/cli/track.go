package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/track"
)

// trackFlags are the flags of track.
type trackFlags struct {
	runs           asks.Runs
	log, calibrate string
	now            string
	number         int
	maxCost, price *float64
	exitCode       bool
}

func (a *app) track() *cobra.Command {
	var f trackFlags
	c := &cobra.Command{
		Use:     "track PLAN.json --run LOG",
		Short:   "Say whether a run keeps to its plan, what it will cost and when it ends",
		GroupID: groupPlan,
		Long: `Hold the log of a run, finished or still growing, against its plan: progress, step
time against the predicted interval (level, drift, stalls), goodput, cost to date and
to complete, loss against the law of the plan, and when the run ends.

PLAN.json is what plan -o plan.json writes. LOG is any file or folder that fit reads
(docs/records.md) with a step or tokens a row, and a clock, step times or a loss.
The verdict is on plan, slower, over budget or diverging (docs/track.md).`,
		Example: `  deepnarrow plan t5-base --hardware a100 --devices 8 --tokens 34B -o plan.json
  deepnarrow track plan.json --run run.csv
  deepnarrow track plan.json --run run.csv --now 2026-03-02T17:00:00Z --exit-code
  deepnarrow track plan.json --run run.csv --calibrate ours.yaml`,
		Args: frame.Arguments(1, 1,
			"deepnarrow plan t5-base --hardware a100 -o plan.json writes one",
			"%[1]s takes one plan; found %[2]d"),
		RunE: func(_ *cobra.Command, args []string) error { return a.runTrack(&f, args[0]) },
	}
	a.Output.Register(c)
	flags := c.Flags()
	flags.StringVar(&f.log, "run", "", "the `log` of the run: a file, a folder, or - for standard input")
	f.runs.RegisterRows(c)
	flags.StringVar(&f.now, "now", "",
		"what `time` it is, such as 2026-01-31T18:00:00Z: the time since the last row then counts")
	frame.CountFlag(c, &f.number, "result", "which run of a plan with several, from 1")
	frame.OptionalFlag(c, quantity.Money, &f.maxCost, "max-cost", "largest bill allowed (default: the plan's)")
	frame.OptionalFlag(c, quantity.HourlyPrice, &f.price, "price",
		"US dollars per device-hour (default: the plan's)")
	flags.BoolVar(&f.exitCode, "exit-code", false, "exit with 1 when the run is off its plan")
	flags.StringVar(&f.calibrate, "calibrate", "",
		"write the hardware profile that the steps of this run teach to this `file`")
	frame.Writes(c, frame.AFile, "calibrate")
	return c
}

func (a *app) runTrack(f *trackFlags, file string) error {
	if f.log == "" {
		return frame.Usage("", "--run is needed: where is the log of the run?")
	}
	if err := asks.WritesProfile("--calibrate", f.calibrate); err != nil {
		return err
	}
	q := track.Question{USDPerHour: f.price, MaxUSD: frame.AmountOf(f.maxCost)}
	if f.now != "" {
		var err error
		if q.Now, err = time.Parse(time.RFC3339, f.now); err != nil {
			if q.Now, err = time.Parse(time.DateOnly, f.now); err != nil {
				return frame.Usage("", "--now is %q; allowed: a date and time such as 2026-01-31T18:00:00Z", f.now)
			}
		}
	}
	if err := frame.Positive("max-cost", f.maxCost); err != nil {
		return err
	}
	selection, err := f.runs.Selection()
	if err != nil {
		return err
	}
	text, err := a.ReadLimited(file, asks.MaxSideBytes)
	if err != nil {
		return frame.BadInput(err, "deepnarrow plan -o plan.json writes one")
	}
	if q.Plan, err = track.ReadPlan(file, text, f.number); err != nil {
		return frame.BadInput(err, "")
	}
	runs, err := a.growing(&f.runs, selection, f.log)
	if err != nil {
		return err
	}
	if q.Log, err = track.NewLog(runs, q.Plan); err != nil {
		return asks.ColumnError(fmt.Errorf("%s: %w", f.log, err))
	}
	if last := q.Log.Last(); q.Now.Before(last) && !q.Now.IsZero() {
		return frame.Usage("", "--now is %s; allowed: from the last row of the log on, %s",
			f.now, last.Format(time.RFC3339))
	}
	answer := q.Answer()
	if f.calibrate != "" {
		if err := a.calibrated(answer, f, file); err != nil {
			return err
		}
	}
	r := frame.NewReport("track")
	r.Document.Inputs = f.runs.Inputs([]string{f.log})
	r.Document.Inputs["plan"] = file
	frame.State(r.Document.Inputs, "now", f.now, "max_cost_usd", f.maxCost, "price_usd_per_hour", f.price)
	r.Document.Conventions["tokens"] = "as the plan counts them"
	r.Document.Warn(runs.Notices()...)
	r.Track(answer)
	if err := a.Render(r); err != nil {
		return err
	}
	if f.exitCode && answer.Verdict != track.OnPlan {
		return frame.Finding("track: the run is off its plan: %s", answer.Verdict)
	}
	return nil
}

// growing reads a log that may still be written.
func (a *app) growing(f *asks.Runs, s learn.Selection, log string) (*learn.Runs, error) {
	table, err := a.RecordsWith(records.Options{RunKey: f.Key, Growing: true, Times: true}, log)
	if err != nil {
		return nil, err
	}
	f.Found = table.Found
	runs, err := s.Of("loss", table)
	return runs, asks.ColumnError(err)
}

// calibrated writes the profile that the run teaches.
func (a *app) calibrated(answer *track.Answer, f *trackFlags, file string) error {
	base, err := asks.Profile(answer.Plan.Hardware, asks.NamedIn(file))
	if err != nil {
		return frame.BadInput(err, "the plan's hardware is not found any more")
	}
	p, err := answer.Calibrated(base, f.log)
	if err != nil {
		return frame.NoAnswer(fmt.Errorf("--calibrate: %w", err), "")
	}
	return frame.WriteFile(f.calibrate, func(w io.Writer) error { return hardware.WriteProfile(w, &p) })
}
