package fit

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// halfDigit is half a unit in the sixth significant digit, the precision of the stated figures.
const halfDigit = 5e-6

func closeTo(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !approx.Relative(got, want, relative) {
		t.Errorf("%s = %.12g, want %.12g (±%.1g relative)", what, got, want, relative)
	}
}

func mustFit(t testing.TB, law Law, d Data, obj Objective, set *Settings) *Result {
	t.Helper()
	r, err := Fit(context.Background(), law, d, obj, set)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The optimum of the published log-Huber objective on Epoch's 240 points, as the project's data
// notes and the issue state it.
func TestEpochLogHuber(t *testing.T) {
	d, _ := epoch240(t)
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	const stated = 0.00101827401781 // an upper bound: printed to 12 digits
	const lastDigit = 5e-15         // half a unit of its last printed digit
	if r.Value > stated+lastDigit {
		t.Errorf("objective %.15g, want at most %.15g", r.Value, stated)
	}
	for name, want := range map[string]float64{
		"A": 477.826, "B": 2143.42, "E": 1.81722,
		"alpha": 0.347310, "beta": 0.367172,
	} {
		got, _ := r.Param(name)
		closeTo(t, name, got, want, halfDigit)
	}
	if c := r.Certificate; !c.Converged || c.Agree != c.Starts || c.Gradient > 1e-6 || len(c.Active) != 0 {
		t.Errorf("certificate %+v", c)
	}
}

// identical is the relative difference allowed between two descents to one optimum: the last Newton
// step is 1e-11 of a parameter at most, and B, an exponential, magnifies it by ln B.
const identical = 1e-9

func TestEpochUnchangedByMeanOrderSeedAndWorkers(t *testing.T) {
	d, _ := epoch240(t)
	want := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	averaged := d
	averaged.Weight = make([]float64, d.Len())
	for i := range averaged.Weight {
		averaged.Weight[i] = 1 / float64(d.Len())
	}
	law := Chinchilla()
	pb := newProblem(&law, d, LogHuber(1e-3))
	var from [][]float64
	for _, s := range pb.startPoints(16, 0) {
		from = append(from, pb.natural(s))
	}
	slices.Reverse(from)
	backwards := make([]int, d.Len())
	for i := range backwards {
		backwards[i] = d.Len() - 1 - i
	}
	for _, c := range []struct {
		name string
		d    Data
		set  *Settings
	}{
		{"averaged", averaged, nil},
		{"one worker", d, &Settings{Workers: 1}},
		{"seven workers", d, &Settings{Workers: 7}},
		{"seed 9", d, &Settings{Seed: 9}},
		{"starts reversed", d, &Settings{From: from, Only: true}},
		{"rows reversed", d.Select(backwards), nil},
	} {
		r := mustFit(t, Chinchilla(), c.d, LogHuber(1e-3), c.set)
		for j, v := range r.Params {
			closeTo(t, c.name+": "+r.Law.Params[j].Name, v, want.Params[j], identical)
			if c.set != nil && c.set.Workers > 0 && v != want.Params[j] {
				t.Errorf("%s: %s differs in its bits", c.name, r.Law.Params[j].Name)
			}
		}
	}
}

// All 245 points: figures of the issue.
func TestEpochAllRows(t *testing.T) {
	d, _ := epoch(t)
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	closeTo(t, "objective", r.Value, 0.001826010523, 5e-10) // printed to 10 digits
	b, _ := r.Param("B")
	beta, _ := r.Param("beta")
	closeTo(t, "B", b, 12845.6, halfDigit)
	closeTo(t, "beta", beta, 0.453049, halfDigit)
}

// Least absolute deviations: figures of the issue (Epoch's own re-fit is A 482.00572, B 2085.43420,
// E 1.81686).
func TestEpochLAD(t *testing.T) {
	d, _ := epoch240(t)
	r := mustFit(t, Chinchilla(), d, LAD(), nil)
	closeTo(t, "sum of |r|", r.Value, 1.1294946536, 5e-11) // printed to 11 digits
	for name, want := range map[string]float64{"A": 482.006, "B": 2085.44, "E": 1.81686} {
		got, _ := r.Param(name)
		closeTo(t, name, got, want, halfDigit)
	}
	if r.Certificate.Vertex != 5 {
		t.Errorf("the fit passes through %d rows, want one for each of the 5 parameters",
			r.Certificate.Vertex)
	}
}

func TestEpochSquaredBelow1e21(t *testing.T) {
	d := epoch217(t)
	if d.Len() != 217 {
		t.Fatalf("%d rows, want 217", d.Len())
	}
	logs := mustFit(t, Chinchilla(), d, SquaredLog(), nil)
	e, _ := logs.Param("E")
	closeTo(t, "E, squared-log", e, 1.8925927, 3e-8) // printed to 8 digits
	raw := mustFit(t, Chinchilla(), d, Squared(), nil)
	closeTo(t, "RSS, squared", raw.Value, 0.0624142929, 5e-10) // printed to 9 digits
	e, _ = raw.Param("E")
	// Newton's method in 40-digit arithmetic (mpmath) ends at 1.905092273946; the issue states
	// 1.905092280, which was not polished as far.
	closeTo(t, "E, squared", e, 1.905092273946, 1e-11)
	closeTo(t, "E, squared, as stated", e, 1.905092280, 5e-9)
}

// bootstrapTolerance and its wider form for B, whose draws have a heavy tail, are stated in the
// issue.
const (
	bootstrapTolerance  = 0.05
	bootstrapToleranceB = 0.15
)

func TestEpochBootstrap(t *testing.T) {
	d, _ := epoch240(t)
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	want := map[string]float64{"A": 124.5, "B": 1293, "E": 0.02566, "alpha": 0.0154, "beta": 0.0206}
	warm, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{Resamples: 4000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for j, p := range r.Law.Params {
		tolerance := bootstrapTolerance
		if p.Name == "B" {
			tolerance = bootstrapToleranceB
		}
		closeTo(t, "standard error of "+p.Name, warm.Params[j].SE, want[p.Name], tolerance)
	}
	// The global refits of the first resamples can only be better.
	global, err := Bootstrap(context.Background(), r, d,
		&BootstrapSettings{Resamples: 300, Seed: 1, Starts: 8})
	if err != nil {
		t.Fatal(err)
	}
	if warm.Failed+global.Failed > 0 {
		t.Errorf("%d and %d refits failed", warm.Failed, global.Failed)
	}
	for i, draw := range global.Draws[:300-global.Improved] {
		if global.Improved == 0 && !slices.Equal(draw, warm.Draws[i]) {
			t.Errorf("global draw %d differs from the warm one without being better", i)
		}
	}
	t.Logf("%d better optima in 300 global refits; warm %v", global.Improved, warm.Params)
}

func TestBootstrapDeterministicAndClustered(t *testing.T) {
	d := shapeSurface(60, 0.01, 3)
	r := mustFit(t, Power().On("tokens"), d, SquaredLog(), nil)
	run := func(d Data, workers int) *Bootstrapped {
		b, err := Bootstrap(context.Background(), r, d,
			&BootstrapSettings{Resamples: 200, Seed: 4, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, many := run(d, 1), run(d, 5)
	for i := range one.Draws {
		if !slices.Equal(one.Draws[i], many.Draws[i]) {
			t.Fatalf("draw %d depends on the number of workers", i)
		}
	}
	// Every run four identical rows: the cluster bootstrap must see a quarter of the units and
	// twice the standard error that rows would give.
	var rows []int
	for i := range d.Len() {
		rows = append(rows, i, i, i, i)
	}
	four := d.Select(rows)
	byRow := run(four, 0)
	four.Run = make([]int, four.Len())
	for i := range four.Run {
		four.Run[i] = i / 4
	}
	byRun := run(four, 0)
	const sampling = 0.25 // of a ratio of two standard errors of 200 draws each
	closeTo(t, "SE by run over SE by row", byRun.Params[1].SE/byRow.Params[1].SE, 2, sampling)
	if byRun.Units != 60 {
		t.Errorf("%d units, want 60", byRun.Units)
	}
}

func TestObjectiveNames(t *testing.T) {
	for _, s := range []string{
		"log-huber:0.001", "huber:0.05", "squared", "squared-log", "lad",
		"asymmetric:0.2", "quantile:0.9",
	} {
		o, err := ParseObjective(s)
		if err != nil || o.String() != s {
			t.Errorf("%s: got %v, %v", s, o, err)
		}
	}
	for _, s := range []string{
		"", "huber", "huber:0", "huber:x", "asymmetric:1", "log-huber:-1",
		"lad:2", "huber:NaN", "quantile:0", "quantile",
	} {
		if _, err := ParseObjective(s); err == nil {
			t.Errorf("%q was accepted", s)
		} else if !strings.Contains(err.Error(), "; allowed: ") {
			t.Errorf("%q: %v does not say what is wanted", s, err)
		}
	}
}
