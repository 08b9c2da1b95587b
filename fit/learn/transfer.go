package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
)

// NoLink asks [Transfer] for correlations alone.
const NoLink = "none"

// TransferQuestion is what [Transfer] is asked.
type TransferQuestion struct {
	Upstream, Downstream string // columns
	// Name is the column that names the models; empty for the first of shape, model, name and run.
	Name string
	// Size is the column that a correlation is given; empty for params, when there.
	Size string
	// Directions and ties, see [fit.TransferInput].
	UpstreamHigher, DownstreamLower bool
	UpstreamTie, DownstreamTie      float64
	// Law is the upstream law to put before the link: a name, Auto, or empty for none.
	Law string
	// Link is the law from loss to score: a name, Auto or NoLink.
	Link      string
	Points    []Point // to predict through both steps
	Resamples int     // of law and link, for the interval of a prediction; 0 for none
	Seed      uint64
	Level     float64
}

// Transferred says how upstream quality carries to a downstream task.
type Transferred struct {
	Upstream, Downstream string // columns
	Transfer             *fit.Transferred
	Level                float64
	// Link is the second step, loss to score, chosen from Links; Unlinked why there is none.
	Link     *fit.Result
	Links    []fit.LawScore
	Unlinked string
	// Chain joins the link to an upstream law; nil when none was asked for.
	Chain       *fit.Chain
	Predictions []Predicted
	Rows
	Notes []string
}

// Links lists the laws from loss to score.
func Links() []fit.Law {
	return slices.DeleteFunc(fit.Laws(), func(law fit.Law) bool { return law.Response != "score" })
}

// Transfer compares how models rank upstream and downstream, see [fit.Transfer], and fits the link
// from loss to score and, behind an upstream law, the chain of both.
//
// Errors: [*records.ColumnError], [*fit.Refusal], [*QuestionError], the context's.
func Transfer(ctx context.Context, runs *Runs, q *TransferQuestion) (*Transferred, error) {
	t, err := newTransfer(runs, q)
	if err != nil {
		return nil, err
	}
	out := &Transferred{Upstream: q.Upstream, Downstream: q.Downstream, Level: q.Level}
	in := t.input(out)
	if out.Transfer, err = fit.Transfer(in); err != nil {
		return nil, err
	}
	out.Rows = t.rows(len(t.used), t.Drops)
	if q.Link == NoLink {
		return out, nil
	}
	return out, t.link(ctx, in, out)
}

// transfer is the models with both results.
type transfer struct {
	*TransferQuestion
	*columns
	size string   // "" without
	x    []string // columns that the upstream law reads
	used []int
}

func newTransfer(runs *Runs, q *TransferQuestion) (*transfer, error) {
	t := &transfer{TransferQuestion: q, size: q.Size}
	needed := []string{q.Upstream, q.Downstream}
	switch law, err := fit.Lookup(q.Law); {
	case q.Law == Auto:
		t.x = []string{"params", "tokens"}
	case err == nil:
		t.x = law.Columns
	}
	needed = append(needed, t.x...)
	if t.size == "" && runs.Has("params") {
		t.size = "params"
	}
	if t.size != "" {
		needed = append(needed, t.size)
	}
	var err error
	if t.columns, err = runs.columns(needed...); err != nil {
		return nil, err
	}
	t.Keep(t.absent)
	t.used = t.Selection.Rows
	return t, nil
}

func (t *transfer) input(out *Transferred) fit.TransferInput {
	in := fit.TransferInput{
		Names: t.modelNames(), UpstreamHigher: t.UpstreamHigher, DownstreamLower: t.DownstreamLower,
		UpstreamTie: t.UpstreamTie, DownstreamTie: t.DownstreamTie, Level: t.Level,
		Upstream: t.of(t.Upstream, t.used), Downstream: t.of(t.Downstream, t.used),
	}
	if t.size != "" {
		size := t.of(t.size, t.used)
		if slices.ContainsFunc(size, func(v float64) bool { return v != size[0] }) {
			in.Size = size
		} else {
			out.Notes = append(out.Notes, "All models have one size: no correlation given size.")
		}
	}
	return in
}

// modelNames returns what the models are called: a column, or the place of the row.
func (t *transfer) modelNames() []string {
	candidates := []string{"shape", "model", "name", "run"}
	if t.Name != "" {
		candidates = []string{t.Name}
	}
	for _, c := range candidates {
		if names, err := t.Text(c); err == nil {
			return pick(names, t.used)
		}
	}
	out := make([]string, len(t.used))
	for i, row := range t.used {
		out[i] = t.Origin(row).String()
	}
	return out
}

// link fits the second step and, when a law is asked for, the chain.
func (t *transfer) link(ctx context.Context, in fit.TransferInput, out *Transferred) error {
	links := slices.DeleteFunc(Links(), func(law fit.Law) bool {
		return t.Link != Auto &&
			t.Link != law.Name
	})
	d := t.data(t.used, nil, t.Downstream)
	d.Columns["loss"] = in.Upstream
	falling := make([]float64, d.Len()) // a lower loss costs more compute
	for i, v := range in.Upstream {
		falling[i] = -v
	}
	set := &fit.Settings{Seed: t.Seed}
	choice, err := fit.Choose(ctx, links, d, fit.Squared(),
		&fit.ChooseSettings{Order: falling, Fit: set})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		out.Unlinked = err.Error()
		if t.Law != "" {
			return fmt.Errorf("no link from loss to score: %w", err)
		}
		return nil
	}
	out.Link, out.Links = choice.Best, choice.Scores
	if t.Law == "" {
		return nil
	}
	for _, name := range t.x {
		d.Columns[name] = t.of(name, t.used)
	}
	up := fit.Data{Columns: d.Columns, Y: in.Upstream, Run: d.Run}
	law, err := t.upstream(ctx, up, set)
	if err != nil {
		return err
	}
	out.Chain, err = fit.FitChain(ctx, law, choice.Best.Law, up, in.Downstream, fit.SquaredLog(),
		fit.Squared(), set)
	if err != nil {
		return err
	}
	return t.predict(ctx, up, d, out)
}

// upstream is the law that was named or, for auto, the one with the least held-out error.
func (t *transfer) upstream(ctx context.Context, d fit.Data, set *fit.Settings) (fit.Law, error) {
	has := func(name string) bool { return d.Columns[name] != nil && name != "loss" }
	laws, err := resolve(t.Law, nil, "", has)
	if err != nil {
		return fit.Law{}, err
	}
	if len(laws.list) == 1 {
		return laws.list[0], nil
	}
	c, err := fit.Choose(ctx, laws.list, d, fit.SquaredLog(), &fit.ChooseSettings{Fit: set})
	if err != nil {
		return fit.Law{}, err
	}
	return c.Best.Law, nil
}

// predict predicts scores through both steps.
func (t *transfer) predict(ctx context.Context, up, link fit.Data, out *Transferred) error {
	var first, second *fit.Bootstrapped
	if t.Resamples > 0 && len(t.Points) > 0 {
		// One seed for both: draw i of the law and draw i of the link are of the same rows.
		set := &fit.BootstrapSettings{Resamples: t.Resamples, Seed: t.Seed, Level: t.Level}
		var err, also error
		first, err = fit.Bootstrap(ctx, out.Chain.Upstream, up, set)
		second, also = fit.Bootstrap(ctx, out.Chain.Link, link, set)
		if err := errors.Join(err, also); err != nil {
			return err
		}
	}
	for _, p := range t.Points {
		x, err := p.in(out.Chain.Upstream.Law.Columns)
		if err != nil {
			return err
		}
		predicted := Predicted{At: p, Level: t.Level, Value: out.Chain.Predict(x...)}
		if first != nil {
			in := fit.ChainInterval(first, second, x...)
			predicted.HasInterval, predicted.Low, predicted.High = true, in.Low, in.High
		}
		out.Predictions = append(out.Predictions, predicted)
	}
	return nil
}
