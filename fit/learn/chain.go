package learn

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
)

// Chained is a chain with its heaviest upstream law, the links that it averages, and its root mean
// square errors on the rows fitted: of the link on recorded losses, and of both steps.
type Chained struct {
	*fit.Chain
	Law          fit.Law
	Params       []float64
	Links        []fit.LawShare
	LinkRMS, RMS float64
}

// link fits the second step and, when a law is asked for, the chain.
func (t *transfer) link(ctx context.Context, in fit.TransferInput, out *Transferred) error {
	links := slices.DeleteFunc(Links(), func(law fit.Law) bool { return t.Link != Auto && t.Link != law.Name })
	d := t.data(t.used, nil, t.Downstream)
	d.Columns["loss"] = in.Upstream
	falling := make([]float64, d.Len()) // a lower loss costs more compute
	for i, v := range in.Upstream {
		falling[i] = -v
	}
	set := &fit.Settings{Seed: t.Seed}
	choice, err := fit.Choose(ctx, links, d, fit.Squared(), &fit.ChooseSettings{Order: falling, Fit: set})
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
	if t.Law == "" && t.HoldOut == "" {
		return nil
	}
	up := fit.Data{Columns: map[string][]float64{}, Y: in.Upstream, Run: d.Run}
	for _, name := range slices.Concat(t.x, t.sizes) {
		up.Columns[name] = t.of(name, t.used)
	}
	chain := &fit.ChainSettings{Sizes: t.sizes, Range: t.scoreRange(in.Downstream), Group: t.group, Fit: set}
	if t.Link != Auto {
		chain.Links = links
	}
	if t.Law != "" {
		laws, err := resolve(t.Law, nil, "", func(name string) bool { return up.Columns[name] != nil })
		if err != nil {
			return err
		}
		chain.Laws = laws.list
	}
	if t.HoldOut != "" {
		if out.HeldOut, err = t.holdOut(ctx, up, in.Downstream, chain); err != nil {
			return err
		}
	}
	if t.Law == "" {
		return nil
	}
	fitted, err := fit.FitChain(ctx, up, in.Downstream, chain)
	if err != nil {
		return err
	}
	out.Chain = newChained(fitted, up, in.Downstream)
	return t.predict(out)
}

// scoreRange returns the bounds of the score: those asked for or, for a metric that is known by the
// name of its column, 0 and 100, or 0 and 1 when no score is above 1.
func (t *transfer) scoreRange(scores []float64) *[2]float64 {
	if t.Range != nil {
		return t.Range
	}
	name := strings.ToLower(t.Downstream)
	known := func(metric string) bool { return strings.Contains(name, metric) }
	least, most := slices.Min(scores), slices.Max(scores)
	if !slices.ContainsFunc(metrics(), known) || least < 0 || most > 100 {
		return nil
	}
	if most <= 1 {
		return &[2]float64{0, 1}
	}
	return &[2]float64{0, 100}
}

// metrics are words in the names of scores between nothing and all.
func metrics() []string {
	return []string{"bleu", "chrf", "rouge", "glue", "squad", "accuracy", "acc", "f1", "exact_match"}
}

// newChained returns a chain with its errors on the rows it was fitted to.
func newChained(c *fit.Chain, d fit.Data, score []float64) *Chained {
	out := &Chained{Chain: c}
	heaviest := slices.MaxFunc(c.Upstream.Laws, func(a, b fit.LawShare) int { return cmp.Compare(a.Weight, b.Weight) })
	out.Law, out.Params = heaviest.Law, heaviest.Params
	out.Links = c.Link.Laws
	var given, chained []float64
	for i, y := range score {
		x, sizes := row(d, c.Upstream.Columns, i), row(d, c.Link.Columns[1:], i)
		given = append(given, c.Given(d.Y[i], sizes...)-y)
		chained = append(chained, c.Predict(x, sizes)-y)
	}
	out.LinkRMS, out.RMS = fit.RMS(given), fit.RMS(chained)
	return out
}

func row(d fit.Data, columns []string, i int) []float64 {
	out := make([]float64, len(columns))
	for j, name := range columns {
		out[j] = d.Columns[name][i]
	}
	return out
}

// predict predicts scores through both steps.
func (t *transfer) predict(out *Transferred) error {
	for _, p := range t.Points {
		x, err := p.in(out.Chain.Chain.Upstream.Columns)
		if err != nil {
			return err
		}
		sizes, err := p.in(out.Chain.Chain.Link.Columns[1:])
		if err != nil {
			return err
		}
		predicted := Predicted{At: p, Level: t.Level, Value: out.Chain.Chain.Predict(x, sizes)}
		in, ok := out.Chain.Chain.Interval(t.Level, x, sizes)
		predicted.Low, predicted.High, predicted.HasInterval = in.Low, in.High, ok
		out.Predictions = append(out.Predictions, predicted)
	}
	return nil
}
