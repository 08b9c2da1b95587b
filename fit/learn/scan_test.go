package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// parabolas are runs at three budgets whose losses are parabolas in ln N with the minimum at
// N = 0.1·√C, so that params and tokens grow as C^½.
func parabolas() string {
	var b strings.Builder
	b.WriteString("run,params,flops,loss\n")
	for _, c := range []float64{1e18, 1e19, 1e20} {
		for k := -3; k <= 3; k++ {
			n := 0.1 * math.Sqrt(c) * math.Exp(0.4*float64(k))
			fmt.Fprintf(&b, "r%g.%d,%.17g,%g,%.17g\n", c, k, n, c,
				3+0.05*math.Pow(0.4*float64(k), 2))
		}
	}
	return b.String()
}

func TestIsoFLOPByHand(t *testing.T) {
	const solver = 1e-6
	s, err := IsoFLOP(runsOf(t, parabolas()+"x,1e8,,3\ny,1e8,1e18,0\n"), "loss", DefaultSpread, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	if s.Used != 21 || len(s.Ends) != 21 || len(s.Drops) != 2 || s.Level != 0.9 {
		t.Errorf("%d used, drops %v", s.Used, s.Drops)
	}
	if !strings.HasPrefix(s.Drops[0].Reason, "flops: ") ||
		s.Drops[1].Reason != "loss is not positive" {
		t.Errorf("drops %v", s.Drops)
	}
	if len(s.Derived) != 1 || s.Derived[0].Column != "tokens" { // C/(6N)
		t.Errorf("derived %v", s.Derived)
	}
	if f := s.IsoFLOP; !approx.Close(f.A.Value, 0.5, solver) ||
		!approx.Close(f.B.Value, 0.5, solver) {
		t.Errorf("exponents %v and %v, want ½", f.A.Value, f.B.Value)
	}
	g := &s.IsoFLOP.Groups[1]
	if want := 0.1 * math.Sqrt(1e19); !approx.Relative(g.Params.Value, want, solver) {
		t.Errorf("best size %v, want %v", g.Params.Value, want)
	}
	params, loss := s.Budget(g)
	if len(params) != 7 || slices.Min(loss) != 3 || !approx.Relative(params[3], g.Params.Value,
		solver) {
		t.Errorf("runs of the budget: %v, %v", params, loss)
	}
	_, err = IsoFLOP(runsOf(t, strings.Join(strings.SplitAfterN(parabolas(), "\n", 6)[:5], "")),
		"loss", DefaultSpread, 0.9)
	var refusal *fit.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "budget 1e+18 FLOP, 4 runs: ") {
		t.Errorf("four runs of one budget that still fall: %v", err)
	}
}

// A curve is the rows of a run in the order of FLOPs; a run of two sizes is two, rows without a run
// go by size.
func TestCurvesOfRuns(t *testing.T) {
	const text = "run,params,flops [1],loss\nb,1e6,3,5\na,2e6,1,6\nb,1e6,1,7\nb,2e6,2,4\n,3e6,9,3\n,3e6,8,3.5\n"
	c, err := runsOf(t, text).columns("flops", "params", "loss")
	if err != nil {
		t.Fatal(err)
	}
	c.keepPositive()
	var got []string
	for _, curve := range c.curves("loss") {
		got = append(got, fmt.Sprintf("%s %g %g %g", curve.Name, curve.Params, curve.FLOPs,
			curve.Loss))
	}
	want := []string{
		"b (params 1e6) 1e+06 [1 3] [7 5]", "a 2e+06 [1] [6]", "b (params 2e6) 2e+06 [2] [4]", "3.00M 3e+06 [8 9] [3.5 3]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("curves %q, want %q", got, want)
	}
}

// The optimum of Hoffmann et al. 2022, eq. 4: N = G·(C/6)^(β/(α+β)), G^(α+β) = αA/(βB).
func TestAllocateByHand(t *testing.T) {
	law, err := FitLaw(context.Background(), runsOf(t, surface()+"x,1e7,0,3\n"),
		&LawQuestion{Law: fit.Chinchilla(), Level: 0.9, Resamples: 20})
	if err != nil {
		t.Fatal(err)
	}
	if law.Source != "fitted to 16 rows, 1 dropped" || len(law.Draws.Draws) != 20 {
		t.Errorf("source %q, %d draws", law.Source, len(law.Draws.Draws))
	}
	const budget = 1e21
	a, err := Allocate(law, budget, 0, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	const solver = 1e-4 // of parameters that a fit found, in an exponent
	want := math.Pow(alpha*constA/(beta*constB), 1/(alpha+beta)) * math.Pow(budget/6,
		beta/(alpha+beta))
	x := a.Allocation
	if !approx.Relative(x.Params, want, solver) || !approx.Relative(x.Tokens, budget/(6*want),
		solver) {
		t.Errorf("%v params and %v tokens, want %v and %v", x.Params, x.Tokens, want,
			budget/(6*want))
	}
	if !approx.Relative(x.Loss, surfaceLoss(want, budget/(6*want)), solver) || a.Level != 0.9 {
		t.Errorf("loss %v at level %v", x.Loss, a.Level)
	}
	if len(a.Nearest) != 3 {
		t.Fatalf("nearest %v", a.Nearest)
	}
	last := 0.0
	for _, n := range a.Nearest {
		distance := math.Abs(math.Log(float64(n.Params) / x.Params))
		if !(distance >= last && distance <= math.Ln2) {
			t.Errorf("%s is %v from the best size, after %v", n.Shape, distance, last)
		}
		last = distance
		left := budget / (6 * float64(n.Params))
		if !approx.Relative(n.Tokens, left, rounding) ||
			!approx.Relative(n.Loss, surfaceLoss(float64(n.Params), left), solver) {
			t.Errorf("%+v: want %v tokens and loss %v", n, left,
				surfaceLoss(float64(n.Params), left))
		}
	}
	if CanAllocate(fit.Power()) || !CanAllocate(fit.Chinchilla().On("tokens", "params")) {
		t.Error("laws of other columns can be allocated")
	}
}

// Hoffmann et al. 2022, §D.3, print E = 1.69, A = 406.4, B = 410.7, α = 0.34, β = 0.28.
func TestPublishedLaw(t *testing.T) {
	law, ok := PublishedLaw("chinchilla")
	if !ok {
		t.Fatal("not known")
	}
	for j, printed := range []struct{ value, digit float64 }{
		{1.69, 0.01}, {406.4, 0.1}, {410.7, 0.1}, {0.34, 0.01}, {0.28, 0.01},
	} {
		if got := law.Result.Params[j]; !approx.Close(got, printed.value,
			printed.digit/2+rounding) {
			t.Errorf("%s = %v, want %v", law.Result.Law.Params[j].Name, got, printed.value)
		}
	}
	if !strings.HasPrefix(law.Source, "chinchilla, ") {
		t.Errorf("source %q", law.Source)
	}
	for _, name := range PublishedLaws() {
		if _, ok := PublishedLaw(name); !ok {
			t.Errorf("%s is listed and cannot be had", name)
		}
	}
	if _, ok := PublishedLaw("gemstones-hot"); ok {
		t.Error("a law of other columns was taken")
	}
}

// models are runs on the exact surface whose score is a sigmoid of the loss.
func models() string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(surface()), "\n") {
		if i == 0 {
			b.WriteString(line + ",score\n")
			continue
		}
		var loss float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ',')+1:], &loss); err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "%s,%.17g\n", line, 20+60/(1+math.Exp(2*(loss-2.6))))
	}
	return b.String()
}

// Without noise both steps are exact, and a score through them is the one of the formulas.
func TestTransferThroughBothSteps(t *testing.T) {
	q := &TransferQuestion{
		Upstream: "loss", Downstream: "score", Law: "chinchilla", Link: "sigmoid-link", Level: 0.9,
		Points: []Point{{"params": 1e8, "tokens": 1e10}}, HoldOut: "params",
	}
	out, err := Transfer(context.Background(), runsOf(t, models()+"x,1e7,1e9,3,\n"), q)
	if err != nil {
		t.Fatal(err)
	}
	if out.Used != 16 || len(out.Drops) != 1 || !out.Transfer.Carries || out.Chain.Scored != 16 {
		t.Errorf("%d used, drops %v, %s", out.Used, out.Drops, out.Transfer.Verdict)
	}
	if v := out.Transfer.Spearman.Value; v != -1 {
		t.Errorf("Spearman %v of a score that falls with the loss, want -1", v)
	}
	const solver = 1e-6
	want := 20 + 60/(1+math.Exp(2*(surfaceLoss(1e8, 1e10)-2.6)))
	p := out.Predictions[0]
	if !approx.Relative(p.Value, want, solver) || !p.HasInterval || !(p.Low <= p.High) ||
		p.Level != 0.9 {
		t.Errorf("predicted %+v, want %v", p, want)
	}
	h := out.HeldOut
	if h == nil || len(h.Rows) != 16 || !(h.GivenRMSE < solver) || !(h.Given80 > 0.9) {
		t.Fatalf("held out %+v", h)
	}
	// Each size is predicted from the three others: the law is Chinchilla's, so that a third of the
	// score's range is far more than the chain may miss.
	if !(h.ChainedRMSE < 20) || h.Rows[0].Chained == nil || h.Rows[0].Name == h.Rows[15].Name {
		t.Errorf("chained %+v", h)
	}
	q.Points = []Point{{"params": 1e8}}
	var question *QuestionError
	if _, err := Transfer(context.Background(), runsOf(t, models()), q); !errors.As(err,
		&question) {
		t.Errorf("a point without tokens: %v", err)
	}
}

// Links are compared by their error on lower losses than those they were fitted to: what a model
// that costs more will have.
func TestLinksAreJudgedAtLowerLosses(t *testing.T) {
	q := &TransferQuestion{Upstream: "loss", Downstream: "score", Link: Auto, Level: 0.9}
	out, err := Transfer(context.Background(), runsOf(t, models()), q)
	if err != nil {
		t.Fatal(err)
	}
	c, err := runsOf(t, models()).columns("loss", "score")
	if err != nil {
		t.Fatal(err)
	}
	d := c.data(c.Selection.Rows, []string{"loss"}, "score")
	order := make([]float64, d.Len())
	for i, v := range d.Columns["loss"] {
		order[i] = 1 / v // rises as the loss falls
	}
	want, err := fit.Choose(context.Background(), Links(), d, fit.Squared(),
		&fit.ChooseSettings{Order: order})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range out.Links {
		if w := want.Scores[i]; s.Law.Name != w.Law.Name ||
			(w.Refused == nil) != (s.Refused == nil) ||
			w.Refused == nil && !approx.Relative(s.RMS, w.RMS, rounding) {
			t.Errorf("%s: error %v, want %v", s.Law.Name, s.RMS, w.RMS)
		}
	}
}

func TestTransferNamesAndSizes(t *testing.T) {
	const rows = "who,params [1],loss,score\na,5,3,1\nb,5,2.9,2\nc,5,2.8,4\nd,5,2.7,3\ne,5,2.6,5\n"
	q := &TransferQuestion{
		Upstream: "loss", Downstream: "score", Link: NoLink, Level: 0.9,
		Name: "who",
	}
	out, err := Transfer(context.Background(), runsOf(t, rows), q)
	if err != nil {
		t.Fatal(err)
	}
	v := out.Transfer.Inversions
	if len(v) != 1 || v[0].UpstreamName != "d" || v[0].DownstreamName != "c" {
		t.Errorf("inversions %+v, want d before c", v)
	}
	if out.Transfer.Partial != nil || len(out.Notes) != 1 || out.Link != nil {
		t.Errorf("given size %v, notes %q", out.Transfer.Partial, out.Notes)
	}
	q.Name = ""
	if out, err = Transfer(context.Background(), runsOf(t, rows), q); err != nil {
		t.Fatal(err)
	}
	if name := out.Transfer.Inversions[0].UpstreamName; name != "runs.csv:5" {
		t.Errorf("a model without a name is called %q", name)
	}
}

// Evidence that is not allowed leaves its rows out, and what was recalled is named.
func TestPublishedTransfer(t *testing.T) {
	all, err := PublishedTransfer(&TransferQuestion{Level: 0.9}, nil)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d parts, %v", len(all), err)
	}
	figure, err := PublishedTransfer(&TransferQuestion{Level: 0.9}, []data.Evidence{data.Figure})
	if err != nil {
		t.Fatal(err)
	}
	if figure[0].Used != all[0].Used || !(figure[1].Used < all[1].Used) || len(all[1].Notes) != 2 ||
		len(figure[1].Notes) != 1 {
		t.Errorf("%d of %d and %d of %d rows", figure[0].Used, all[0].Used, figure[1].Used,
			all[1].Used)
	}
	// The points of Figure 1: losses 1.462 and 1.487, SuperGLUE 76.47 and 77.99.
	found := false
	for _, v := range all[0].Transfer.Inversions {
		if v.UpstreamName == "NL12-XXL" && v.DownstreamName == "XL" {
			found = approx.Close(v.UpstreamGap, 0.025, rounding) &&
				approx.Close(v.DownstreamGap, 1.52, rounding)
		}
	}
	if !found {
		t.Errorf("NL12-XXL against XL is not in %+v", all[0].Transfer.Inversions)
	}
	for i := range all {
		if a, b := figure[i].Used+len(figure[i].Drops), all[i].Used+len(all[i].Drops); a != b {
			t.Errorf("part %d: %d rows are used or dropped, %d without a limit", i, a, b)
		}
	}
}

// A drawing holds at most 200 rows, first and last among them, and a curve over all of them.
func TestDrawing(t *testing.T) {
	var b strings.Builder
	b.WriteString("x,loss\n")
	for i := range 500 {
		x := 1 + float64(i)
		fmt.Fprintf(&b, "%g,%.17g\n", x, 2+3/math.Sqrt(x))
	}
	none := 0
	a, err := Fit(context.Background(), runsOf(t, b.String()), &Question{
		Law: "power-offset", X: []string{"x"}, Resamples: &none, Level: 0.9,
		FitWhere: where(t, "x<401"), ScoreWhere: where(t, "x>400"),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Draw()
	d := a.Fits[0].Drawing
	if n := len(d.Rows.X); n != 200 || d.Rows.X[0] != 1 || d.Rows.X[n-1] != 400 || d.X != "x" ||
		d.Level != 0.9 {
		t.Errorf("%d rows from %v to %v", n, d.Rows.X[0], d.Rows.X[n-1])
	}
	if len(d.HeldOut.X) != 100 || len(d.Curve.X) != 60 || d.Curve.X[0] != 1 ||
		!approx.Relative(d.Curve.X[59], 500, rounding) {
		t.Errorf("%d held out, curve over %v", len(d.HeldOut.X), d.Curve.X)
	}
	if ratio := d.Curve.X[1] / d.Curve.X[0]; !approx.Relative(ratio, math.Pow(500, 1.0/59),
		rounding) {
		t.Errorf("the curve's first step is %v, not even in the logarithm", ratio)
	}
	const solver = 1e-6
	for i, x := range d.Rows.X {
		if want := 2 + 3/math.Sqrt(x); !approx.Relative(d.Rows.Predicted[i], want, solver) ||
			!approx.Close(d.Rows.Residual[i], 0, solver) ||
			!(d.Rows.Low[i] <= d.Rows.Predicted[i] && d.Rows.Predicted[i] <= d.Rows.High[i]) {
			t.Fatalf("at %v: predicted %v, want %v", x, d.Rows.Predicted[i], want)
		}
	}
	if got := a.Fits[0].Index[:3]; !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("rows %v", got)
	}
}

// Two groups in one table: each has the optimum of its own runs, of all columns named, and the drops
// go with their rows.
func TestPartsOfATable(t *testing.T) {
	var b strings.Builder
	b.WriteString("text,seed,flops,params,loss\n")
	for _, text := range []string{"a", "b"} {
		for _, c := range []float64{1e18, 1e19, 1e20} {
			for k := -3; k <= 3; k++ {
				n := 0.1 * math.Pow(c, map[string]float64{"a": 0.5, "b": 0.45}[text]) * math.Exp(0.4*float64(k))
				fmt.Fprintf(&b, "%s,1,%g,%.17g,%.17g\n", text, c, n, 3+0.05*math.Pow(0.4*float64(k), 2))
			}
		}
	}
	b.WriteString("b,1,1e18,1e8,0\n")
	runs := runsOf(t, b.String())
	parts, err := runs.parts([]string{"text", "seed"})
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	const solver = 1e-6
	for k, want := range []float64{0.5, 0.45} {
		s, err := IsoFLOP(parts[k], "loss", DefaultSpread, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if !approx.Close(s.IsoFLOP.A.Value, want, solver) || s.Used != 21 || len(s.Drops) != k {
			t.Errorf("part %d: params ∝ C^%v from %d rows, drops %v; want %g", k, s.IsoFLOP.A.Value, s.Used, s.Drops, want)
		}
		if name := PartName(s.Part); name != "seed 1, text "+[]string{"a", "b"}[k] {
			t.Errorf("part %q", name)
		}
	}
	refuse := func(text string) func(*Runs) error {
		return func(r *Runs) error {
			if strings.Contains(PartName(r.Part), text) {
				return &QuestionError{About: "by", Problem: "no"}
			}
			return nil
		}
	}
	by := []string{"text", "seed"}
	if refused, err := runs.EachPart(by, refuse("text a")); err != nil || len(refused) != 1 || !strings.HasPrefix(refused[0], "seed 1, text a: ") {
		t.Errorf("one group is refused: %v, %v", refused, err)
	}
	if refused, err := runs.EachPart(by, refuse("text")); err == nil || len(refused) != 2 {
		t.Errorf("both are refused: %v, %v", refused, err)
	}
	if refused, err := runs.EachPart(nil, refuse("")); err == nil || len(refused) != 0 {
		t.Errorf("refused without groups: %v, %v", refused, err)
	}
	if whole, err := runs.parts(nil); err != nil || len(whole) != 1 || whole[0] != runs || PartName(runs.Part) != "" {
		t.Errorf("without columns: %v, %v", whole, err)
	}
	if _, err := runs.parts([]string{"absent"}); err == nil {
		t.Error("a column that is not there was taken")
	}
}
