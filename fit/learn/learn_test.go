package learn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// rounding bounds sums of a few floating-point numbers of order one.
const rounding = 1e-12

// table reads runs from CSV.
func table(t *testing.T, text string) *records.Table {
	t.Helper()
	out, err := records.ReadAll([]records.Input{{
		Name: "runs.csv",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}}, records.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// runsOf are all rows of a table, with the column run as the run.
func runsOf(t *testing.T, text string) *Runs {
	t.Helper()
	s := Selection{Group: "run"}
	runs, err := s.Of("loss", table(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func where(t *testing.T, text string) records.Where {
	t.Helper()
	w, err := records.ParseWhere(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The constants of the surfaces below, of the order of Hoffmann et al. 2022.
const constE, constA, constB, alpha, beta = 1.8, 480, 2100, 0.35, 0.37

func surfaceLoss(n, d float64) float64 {
	return constE + constA/math.Pow(n, alpha) + constB/math.Pow(d, beta)
}

// surface is 4 × 4 runs on an exact Chinchilla surface.
func surface() string {
	var b strings.Builder
	b.WriteString("run,params,tokens,loss\n")
	for i := range 16 {
		n, d := 1e7*math.Pow(4, float64(i%4)), 1e9*math.Pow(4, float64(i/4))
		fmt.Fprintf(&b, "r%d,%g,%g,%.17g\n", i, n, d, surfaceLoss(n, d))
	}
	return b.String()
}

func TestSelection(t *testing.T) {
	const text = "who,step,Loss,n\na,1,5,1\na,2,4,1\nb,2,3,2\nb,1,9,2\nc,1,2,3\n"
	for _, c := range []struct {
		about string
		s     Selection
		want  []int // rows from 0, counted by hand
		why   string
	}{
		{"all", Selection{Group: "who"}, []int{0, 1, 2, 3, 4}, ""},
		{
			"the largest step of each run",
			Selection{Group: "who", Last: true},
			[]int{1, 2, 4},
			"not the last row of its run",
		},
		{
			"the two highest of loss",
			Selection{Group: "who", DropHighest: 2},
			[]int{1, 2, 4},
			"among the 2 highest of loss",
		},
		{"a mapped column", Selection{
			Group: "who", Map: [][2]string{{"size", "n"}},
			Where: where(t, "size>1"),
		}, []int{2, 3, 4}, "not size>1"},
		{
			"conditions come first",
			Selection{Group: "who", Where: where(t, "step=1"), Last: true},
			[]int{0, 3, 4},
			"not step=1",
		},
	} {
		runs, err := c.s.Of("loss", table(t, text))
		if err != nil {
			t.Fatalf("%s: %v", c.about, err)
		}
		if !slices.Equal(runs.Selection.Rows, c.want) || len(runs.Drops)+len(c.want) != 5 {
			t.Errorf("%s: rows %v, drops %v; want %v", c.about, runs.Selection.Rows, runs.Drops,
				c.want)
		}
		for _, d := range runs.Drops {
			if d.Reason != c.why {
				t.Errorf("%s: row %d dropped: %s; want %s", c.about, d.Row, d.Reason, c.why)
			}
		}
	}
	missing := Selection{Map: [][2]string{{"size", "m"}}}
	var column *records.ColumnError
	if _, err := missing.Of("loss", table(t, text)); !errors.As(err, &column) {
		t.Errorf("a mapped column that is not there: %v", err)
	}
}

// Which laws a question asks for, by the columns that there are.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		about, law string
		x, has     []string
		laws       []string // nil for an average over one predictor
		columns    []string
		problem    string
	}{
		{
			"a law's own columns", "chinchilla", nil, nil,
			[]string{"chinchilla"},
			[]string{"params", "tokens"},
			"",
		},
		{
			"named columns", "chinchilla",
			[]string{"N", "D"},
			nil,
			[]string{"chinchilla"},
			[]string{"N", "D"},
			"",
		},
		{
			"too few columns", "chinchilla",
			[]string{"N"},
			nil, nil, nil,
			"1 columns are named; law chinchilla reads 2",
		},
		{
			"the only predictor", "power", nil,
			[]string{"tokens", "loss"},
			[]string{"power"},
			[]string{"tokens"},
			"",
		},
		{"x is there", "power", nil, []string{"x", "tokens"}, []string{"power"}, []string{"x"}, ""},
		{
			"two predictors", "power", nil,
			[]string{"tokens", "flops"},
			nil, nil,
			"tokens, flops could each be the predictor",
		},
		{"no predictor", "power", nil, []string{"loss"}, nil, nil, "no column to predict from"},
		{"an average", Auto, []string{"steps"}, nil, nil, []string{"steps"}, ""},
		{
			"an average over the only predictor", Auto, nil,
			[]string{"step"},
			nil,
			[]string{"step"},
			"",
		},
		{
			"the laws in params and tokens", Auto, nil,
			[]string{"params", "tokens"},
			[]string{"kaplan", "chinchilla", "over-training"},
			[]string{"params", "tokens"},
			"",
		},
		{
			"the same on named columns", Auto,
			[]string{"N", "D"},
			nil,
			[]string{"kaplan", "chinchilla", "over-training"},
			[]string{"N", "D"},
			"",
		},
		{
			"columns of no law", Auto,
			[]string{"a", "b", "c", "d", "e", "f", "g"},
			nil, nil, nil,
			"no law reads 7 columns",
		},
	} {
		l, err := resolve(c.law, c.x, "", func(name string) bool {
			return slices.Contains(c.has,
				name)
		})
		if c.problem != "" {
			var question *QuestionError
			if !errors.As(err, &question) || !strings.Contains(err.Error(), c.problem) ||
				question.About != "x" {
				t.Errorf("%s: %v, want %q", c.about, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		var names []string
		for _, law := range l.list {
			if c.law != Auto || slices.Contains(c.laws, law.Name) { // auto may know further ones
				names = append(names, law.Name)
			}
			if !slices.Equal(law.Columns, c.columns) {
				t.Errorf("%s: law %s reads %v, want %v", c.about, law.Name, law.Columns, c.columns)
			}
		}
		if !slices.Equal(names, c.laws) || !slices.Equal(l.columns, c.columns) ||
			l.curve() != (c.laws == nil) {
			t.Errorf("%s: laws %v of %v, want %v of %v", c.about, names, l.columns, c.laws, c.columns)
		}
	}
	if got := splitColumns([]string{"a, b", "c,d"}, func(
		n string,
	) bool {
		return n == "c,d"
	}); !slices.Equal(got, []string{"a", "b", "c,d"}) {
		t.Errorf("split columns %q", got)
	}
}

// The rules that say what a fit does unasked: 200 refits up to 2,000 rows of one fit; squared error
// for a link, log-Huber of 1e-3 for a loss.
func TestDefaults(t *testing.T) {
	seven := 7
	for _, c := range []struct {
		q    Question
		rows int
		want int
	}{
		{Question{}, 2000, 200},
		{Question{}, 2001, 0},
		{Question{By: []string{"run"}}, 10, 0},
		{Question{By: []string{"run"}, Resamples: &seven}, 10, 7},
		{Question{Resamples: &seven}, 1e6, 7},
	} {
		if got := c.q.resamples(c.rows); got != c.want {
			t.Errorf("%d refits of %d rows by %v, want %d", got, c.rows, c.q.By, c.want)
		}
	}
	if a, b := defaultObjective("score"), defaultObjective("loss"); a != fit.Squared() ||
		b != fit.LogHuber(1e-3) {
		t.Errorf("objectives %v and %v", a, b)
	}
	if a, b, c := Response("sigmoid-link", ""), Response("power", ""),
		Response("power", "y"); a != "score" || b != "loss" || c != "y" {
		t.Errorf("responses %s, %s, %s", a, b, c)
	}
}

// Without noise the parameters come back, a prediction inside the rows is the surface itself, and
// one beyond them says so.
func TestFitOfAnExactSurface(t *testing.T) {
	none := 0
	q := &Question{
		Law: "chinchilla", Resamples: &none, Level: 0.9,
		Points: []Point{{"params": 1e8, "tokens": 1e10}, {"params": 2.56e9, "tokens": 1e10}},
	}
	a, err := Fit(context.Background(), runsOf(t, surface()), q)
	if err != nil {
		t.Fatal(err)
	}
	f := &a.Fits[0]
	const solver = 1e-5 // the certificate's gradient leaves about this much in the flattest direction
	for j, want := range []float64{constE, constA, constB, alpha, beta} {
		if got := f.Result.Params[j]; !approx.Relative(got, want, solver) {
			t.Errorf("%s = %v, want %v", f.Result.Law.Params[j].Name, got, want)
		}
	}
	if f.Used != 16 || len(f.Drops) != 0 || f.Draws != nil || a.Groups != 1 || a.Curve {
		t.Errorf("%d used, %v dropped, draws %v, %d groups", f.Used, f.Drops, f.Draws, a.Groups)
	}
	if got := f.Predictions[0].Value; !approx.Relative(got, surfaceLoss(1e8, 1e10), 1e-8) {
		t.Errorf("predicts %v, want %v", got, surfaceLoss(1e8, 1e10))
	}
	if want := "params=2.56e+09 lies beyond the rows (4 times the largest)"; !slices.Equal(
		f.Warnings, []string{want}) {
		t.Errorf("warnings %q, want %q", f.Warnings, want)
	}
}

// Refits are as many as asked for, at the level and from the seed of the question.
func TestRefits(t *testing.T) {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(surface()), "\n") {
		at := strings.LastIndexByte(line, ',') + 1
		var loss float64
		if _, err := fmt.Sscan(line[at:], &loss); err == nil {
			line = fmt.Sprint(line[:at], loss*(1+0.01*math.Sin(float64(7*i))))
		}
		b.WriteString(line + "\n")
	}
	twenty := 20
	drawn := func(seed uint64) *fit.Bootstrapped {
		q := &Question{Law: "chinchilla", Resamples: &twenty, Seed: seed, Level: 0.8}
		steps := 0
		var counted atomic.Int64 // the workers count at once
		q.Progress = func(n int) func() { steps = n; return func() { counted.Add(1) } }
		a, err := Fit(context.Background(), runsOf(t, b.String()), q)
		if err != nil {
			t.Fatal(err)
		}
		if steps != twenty || counted.Load() != int64(twenty) {
			t.Errorf("%d steps were announced and %d taken", steps, counted.Load())
		}
		return a.Fits[0].Draws
	}
	a, again, other := drawn(1), drawn(1), drawn(2)
	if a.Level != 0.8 || len(a.Draws)+a.Failed != twenty {
		t.Errorf("level %v, %d refits", a.Level, len(a.Draws))
	}
	same := func(x, y *fit.Bootstrapped) bool {
		const starts = 1e-6 // what other starts of the fit itself move
		return slices.EqualFunc(x.Draws, y.Draws, func(p, q []float64) bool {
			return slices.EqualFunc(p, q, func(v, w float64) bool {
				return approx.Relative(v, w,
					starts)
			})
		})
	}
	if !same(a, again) || same(a, other) {
		t.Error("the draws do not follow the seed")
	}
}

// Every row is used or dropped with its reason, whatever is wrong with it, and a row is judged
// once.
func TestRowsAreUsedOrDropped(t *testing.T) {
	text := surface() +
		"x1,,1e9,3\n" + // 18: absent
		"x2,1e7,abc,3\n" + // 19: not a number
		"x3,-1,1e9,3\n" + // 20: not positive
		"x4,1e7,1e9,0\n" + // 21: no logarithm
		"x5,1e7,1e9,NaN\n" + // 22
		"x6,1e7,1e9,3,7\n" + // 23: lost: too many cells
		"x7,,,\n" // 24: the first absent column is told
	none := 0
	a, err := Fit(context.Background(), runsOf(t, text),
		&Question{Law: "chinchilla", Resamples: &none})
	if err != nil {
		t.Fatal(err)
	}
	f := &a.Fits[0]
	got := map[string]string{}
	for _, d := range f.Drops {
		got[d.Row] = d.Reason
	}
	if f.Used != 16 || len(f.Drops) != 7 || len(got) != 7 {
		t.Errorf("%d used, drops %v", f.Used, f.Drops)
	}
	for row, want := range map[string]string{
		"runs.csv:18": "params: ", "runs.csv:19": "tokens: ",
		"runs.csv:20": "params: a negative amount",
		"runs.csv:21": "loss is 0", "runs.csv:22": "loss: ", "runs.csv:23": "cells",
		"runs.csv:24": "params: ",
	} {
		if !strings.Contains(got[row], want) {
			t.Errorf("%s: %q, want %q", row, got[row], want)
		}
	}
}

// Groups come in the order of the table; a row that is fitted is not scored; drops go to their
// group, and those of a group without rows are told.
func TestGroups(t *testing.T) {
	var b strings.Builder
	b.WriteString("run,part,x,loss\n")
	for _, g := range []string{"b", "a"} {
		for i := range 12 {
			x := math.Pow(2, float64(i))
			part := "fit"
			if i >= 9 {
				part = "score"
			}
			fmt.Fprintf(&b, "%s,%s,%g,%.17g\n", g, part, x, 2+3/math.Sqrt(x))
		}
		fmt.Fprintf(&b, "%s,other,5,3\n%s,fit,256,9\n", g, g)
	}
	b.WriteString("c,other,1,3\nc,other,2,3\na,fit,3,0\n") // the last is row 32 of the table and 11 of its group
	q := &Question{
		Law: Auto, X: []string{"x"}, By: []string{"run"}, Level: 0.8,
		FitWhere: where(t, "part=fit"), ScoreWhere: where(t, "part=score"),
		Points: []Point{{"x": 1e6}},
	}
	a, err := Fit(context.Background(), runsOf(t, b.String()), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Fits) != 2 || a.Fits[0].Group["run"] != "b" || a.Fits[1].Group["run"] != "a" ||
		!a.Curve {
		t.Fatalf("%d fits, %v", len(a.Fits), a.Fits)
	}
	f := &a.Fits[0]
	// 9 rows to fit and one that repeats x = 256, of which the later stays; one to neither.
	if f.Used != 9 || f.Score == nil || f.Score.Points != 3 || f.Curve.Last != 256 {
		t.Errorf("%d used, score %+v", f.Used, f.Score)
	}
	want := []string{"a later row has the same x", "neither to fit nor to score"}
	if len(f.Drops) != 2 || f.Drops[0].Reason != want[0] || f.Drops[1].Reason != want[1] {
		t.Errorf("drops %v, want %v", f.Drops, want)
	}
	if d := a.Fits[1].Drops; len(d) != 3 || d[2] != (Drop{
		"runs.csv:32",
		"loss is 0; allowed: a positive number",
	}) {
		t.Errorf("drops %v", d)
	}
	if !slices.Contains(a.Warnings,
		"dropped: 2 rows of groups that have no row left: neither to fit nor to score") {
		t.Errorf("warnings %q", a.Warnings)
	}
	if len(f.Warnings) != 1 || !strings.Contains(f.Warnings[0],
		"x=1e+06 is 3.9e+03 times the last recorded") { // 1e6/256
		t.Errorf("warnings %q", f.Warnings)
	}
	var question *QuestionError
	q.Points = []Point{{"y": 1}}
	if _, err := Fit(context.Background(), runsOf(t, b.String()), q); !errors.As(err, &question) ||
		question.Word != "y" {
		t.Errorf("a point in another column: %v", err)
	}
}

// A table without the column of the run is refused where that column was asked for, else every row
// is a run of its own.
func TestRuns(t *testing.T) {
	s := Selection{Group: "who"}
	runs, err := s.Of("loss", table(t, surface()))
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	var column *records.ColumnError
	q := &Question{Law: "chinchilla", Resamples: &none, NeedGroup: true}
	if _, err := Fit(context.Background(), runs, q); !errors.As(err, &column) {
		t.Errorf("a column of runs that is not there: %v", err)
	}
	q.NeedGroup = false
	if a, err := Fit(context.Background(), runs, q); err != nil || a.Fits[0].Data.Run != nil {
		t.Errorf("%v, %v", a, err)
	}
	for _, c := range []struct {
		names []string
		want  []int
	}{
		{[]string{"a", "b", "a"}, []int{0, 1, 0}},
		{[]string{"a", "", ""}, []int{0, 1, 2}},
		{[]string{"a", "a"}, nil},
	} {
		if got := numbered(c.names); !slices.Equal(got, c.want) {
			t.Errorf("%q is numbered %v, want %v", c.names, got, c.want)
		}
	}
}

// An interrupted fit returns the groups that are complete with the context's error.
func TestFitIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a, err := Fit(ctx, runsOf(t, surface()), &Question{Law: "chinchilla"})
	if !errors.Is(err, context.Canceled) || a == nil || a.Groups != 1 || len(a.Fits) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Runs that count 3.2·N·D FLOP, as an encoder-decoder's do, are split by that count.
func TestAllocateByTheCountOfTheRecords(t *testing.T) {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(surface()), "\n") {
		var n, d, loss float64
		if i == 0 {
			b.WriteString(line + ",flops\n")
			continue
		}
		cells := strings.Split(line, ",")
		if _, err := fmt.Sscan(cells[1]+" "+cells[2]+" "+cells[3], &n, &d, &loss); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s,%.17g\n", line, 3.2*n*d)
	}
	q := &LawQuestion{Law: fit.Chinchilla(), Level: 0.8}
	law, err := FitLaw(context.Background(), runsOf(t, b.String()), q)
	if err != nil {
		t.Fatal(err)
	}
	const budget, solver = 1e21, 1e-3
	a, err := Allocate(law, budget, 0, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	if x := a.Allocation; !approx.Relative(a.PerParamToken, 3.2, solver) ||
		!approx.Relative(3.2*x.Params*x.Tokens, budget, solver) {
		t.Errorf("%g·N·D; %g params and %g tokens cost %g FLOP", a.PerParamToken, x.Params, x.Tokens,
			3.2*x.Params*x.Tokens)
	}
	plain, err := FitLaw(context.Background(), runsOf(t, surface()), q)
	if err != nil || plain.PerParamToken != flopsPerParamToken {
		t.Errorf("without FLOPs: %+v, %v", plain, err)
	}
}
