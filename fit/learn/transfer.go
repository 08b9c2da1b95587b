package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
	Link string
	// Sizes are columns x of which the link may add c·ln x; nil for those of params, layers and
	// d_model that every row has.
	Sizes []string
	// Range bounds the score; nil for the bounds of a metric known by the name of its column.
	Range *[2]float64
	// HoldOut is the column whose values are left out one by one, to score the prediction of the
	// others' scores; empty for none. Validation leaves out the same.
	HoldOut string
	Points  []Point // to predict through both steps
	Seed    uint64
	Level   float64
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
	// Chain joins links to upstream laws; nil when none was asked for.
	Chain *Chained
	// HeldOut is how the chain did on values left out; nil when none was asked for.
	HeldOut     *HeldOut
	Predictions []Predicted
	Rows
	Notes []string
	// Warnings say what makes the correlations other than they look.
	Warnings []string
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
	out.Warnings = append(sharesAndPercent(q.Downstream, in.Downstream), q.reversed(out.Transfer)...)
	if q.Link == NoLink {
		return out, nil
	}
	return out, t.link(ctx, in, out)
}

// sharesAndPercent asks about results of which some are at most 1 and the others ten times as large
// or more: 0.8 beside 80.
func sharesAndPercent(column string, values []float64) []string {
	const fewest, apart = 2, 10
	small, large, top, bottom := 0, 0, 0.0, math.Inf(1)
	for _, v := range values {
		switch {
		case v > 1:
			large, bottom = large+1, min(bottom, v)
		case v > 0:
			small, top = small+1, max(top, v)
		}
	}
	if small < fewest || large < fewest || bottom < apart*top {
		return nil
	}
	return []string{fmt.Sprintf("%d values of %s are at most 1 and %d are %.3g and more: shares beside percentages?",
		small, column, large, bottom)}
}

// reversed asks about results of which the lower go with the better upstream ones.
func (q *TransferQuestion) reversed(t *fit.Transferred) []string {
	rho := t.Spearman.Value // a lower loss with a higher score is below 0
	if q.UpstreamHigher != q.DownstreamLower {
		rho = -rho
	}
	const strong = 0.5
	if q.DownstreamLower || rho < strong {
		return nil
	}
	return []string{fmt.Sprintf("%s is lower where %s is better; --downstream-lower says that a lower one is better",
		q.Downstream, q.Upstream)}
}

// transfer is the models with both results.
type transfer struct {
	*TransferQuestion
	*columns
	size string   // "" without
	x    []string // columns that the upstream laws read
	used []int
	// sizes are the columns of size terms; group numbers the values of the column held out, or the
	// shapes, with their names; nil without.
	sizes      []string
	group      []int
	groupNames []string
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
	if err := t.grouped(runs); err != nil {
		return nil, err
	}
	if t.Law == "" && t.HoldOut == "" {
		return t, nil
	}
	return t, t.sized(runs)
}

// shapeColumns tell the shapes of models apart where no column names them.
func shapeColumns() []string {
	return []string{"encoder_layers", "decoder_layers", "layers", "d_model", "d_ff", "heads", "params"}
}

// grouped numbers what is left out whole: the values of HoldOut or, without, of the column shape.
func (t *transfer) grouped(runs *Runs) error {
	names := []string{cmp.Or(t.HoldOut, "shape")}
	switch {
	case names[0] == "group" && !runs.Has("group"):
		names[0] = t.Group
	case names[0] == "shape" && !runs.Has("shape"):
		names = slices.DeleteFunc(shapeColumns(), func(name string) bool { return !runs.Has(name) })
		if t.HoldOut == "" {
			return nil
		}
		if len(names) == 0 {
			names = []string{"shape"} // the error names it
		}
	}
	cells, err := texts(runs.Table, names)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for _, row := range t.used {
		name := strings.Join(across(cells, row), " × ")
		if _, seen := at[name]; !seen {
			at[name] = len(at)
			t.groupNames = append(t.groupNames, name)
		}
		t.group = append(t.group, at[name])
	}
	if t.HoldOut != "" && len(at) < 3 {
		return &QuestionError{About: "hold-out", Problem: fmt.Sprintf(
			"%s has %s; allowed: a column with three at least", t.HoldOut, quantity.Of(len(at), "value"))}
	}
	if t.HoldOut == "" && len(at) < 4 {
		t.group = nil // too few to validate by
	}
	return nil
}

// sized finds the columns of size terms: positive in every row and given by every point.
func (t *transfer) sized(runs *Runs) error {
	names := t.Sizes
	if names == nil {
		names = []string{"params", "layers", "d_model"}
	}
	for _, name := range names {
		if !runs.Has(name) && t.Sizes == nil {
			continue
		}
		n, err := runs.Numbers(name)
		if err != nil {
			if t.Sizes == nil {
				continue
			}
			return err
		}
		lacks := func(row int) bool { return !(n.Values[row] > 0) }
		unknown := func(p Point) bool { _, has := p[name]; return !has }
		if slices.ContainsFunc(t.used, lacks) || slices.ContainsFunc(t.Points, unknown) {
			continue
		}
		t.numbers[name] = n
		t.sizes = append(t.sizes, name)
	}
	return nil
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
