package plan_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func served(t *testing.T, shape, machine string, ask plan.Serving) *plan.Served {
	t.Helper()
	s, err := shapes.Parse(shape)
	if err != nil {
		t.Fatal(err)
	}
	p, err := hardware.Parse(machine)
	if err != nil {
		t.Fatal(err)
	}
	a, err := plan.Question{Shape: s, Profile: &p, Serving: &ask}.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return a.Serving
}

// rounding is that of a few float64 operations.
const rounding = 1e-12

func near(a, b float64) bool { return math.Abs(a-b) <= rounding*math.Abs(b) }

// The bill by hand from the predicted times: a copy answers batch/answer-time requests a second, and
// the passes over the request are the input's share.
func TestServingBill(t *testing.T) {
	const price, requests = 2.0, 100.0
	s := served(t, "t5-large", "h100,price=2", plan.Serving{PerSecond: requests, MaxSeconds: 2})
	d := s.Decoding
	if want, err := hardware.PredictDecoding(s.Run); err != nil || !reflect.DeepEqual(*d, want) {
		t.Errorf(
			"the times are not those of generation: %v, %v, %v",
			d.TotalSeconds,
			want.TotalSeconds,
			err,
		)
	}
	// the promise of nine in ten is the upper end of an interval of eight in ten
	sure, _ := s.Seconds().AtMost(0.9)
	if !near(sure, d.TotalSeconds.High) || !(sure <= 2) {
		t.Errorf("an answer takes up to %g s, of an interval up to %g", sure, d.TotalSeconds.High)
	}
	if want := math.Ceil(requests * sure / float64(s.Batch)); float64(s.Copies) != want {
		t.Errorf("%d copies, want %g", s.Copies, want)
	}
	hourly := float64(s.Devices()) * price
	if got, want := s.PerMonth.Interval.Value, hourly*24*365.25/12; !near(got, want) {
		t.Errorf("%g a month, want %g", got, want)
	}
	each := hourly / 3600 / requests
	in, out := s.PerMillionIn.Interval.Value, s.PerMillionOut.Interval.Value
	if got := (512*in + 128*out) / 1e6; !near(got, each) {
		t.Errorf("a request costs %g, want %g", got, each)
	}
	if got := 512 * in / 1e6 / each; !near(got, d.EncoderSeconds.Value/d.TotalSeconds.Value) {
		t.Errorf("the request is %g of the bill", got)
	}
	// a copy that is always busy, for a life of 1e9 requests
	life := served(t, "t5-large", "h100,price=2", plan.Serving{Tokens: 640e9, Batch: 8, TP: 1})
	if got, want := life.Life.Interval.Value,
		1e9*price/3600*life.Decoding.TotalSeconds.Value/8; !near(got, want) {
		t.Errorf("%g in its life, want %g", got, want)
	}
}

// No batch and no group of devices that keep to the limits need fewer devices, by planning each.
func TestServingIsTheBest(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 6))
	names := []string{"t5-small", "t5-large", "t5-11b", "gpt2-xl", "llama-2-7b"}
	for range 30 {
		name := names[random.IntN(len(names))]
		ask := plan.Serving{
			Prompt: 32 << random.IntN(4), Generate: 16 << random.IntN(3),
			PerSecond:  math.Exp(random.Float64() * 7),
			MaxSeconds: math.Exp(random.Float64()*4 - 2), Stored: flops.Storage(random.IntN(3)),
		}
		s := served(t, name, "a100,price=1", ask)
		for _, tp := range []int{1, 2, 4, 8} {
			for batch := 1; batch <= 1<<12; batch *= 2 {
				one := ask
				one.TP, one.Batch = tp, batch
				other := served(t, name, "a100,price=1", one)
				switch {
				case other.Decoding == nil:
				case s.Decoding == nil:
					t.Errorf("%s, %+v: none found, but tp %d and batch %d do", name, ask, tp, batch)
				case other.Devices() < s.Devices():
					t.Errorf(
						"%s, %+v: %d devices, but tp %d and batch %d take %d",
						name,
						ask,
						s.Devices(),
						tp,
						batch,
						other.Devices(),
					)
				}
			}
		}
	}
}

// A longer time allowed, or weights of fewer bytes, never take more; more traffic never takes less.
func TestServingIsMonotone(t *testing.T) {
	before := math.MaxInt
	for _, seconds := range []float64{0.7, 1, 2, 4, 8} {
		s := served(
			t,
			"llama-2-7b",
			"h100",
			plan.Serving{PerSecond: 200, MaxSeconds: seconds, Generate: 64},
		)
		if s.Decoding == nil {
			continue
		}
		if s.Devices() > before {
			t.Errorf("within %g s: %d devices, within less %d", seconds, s.Devices(), before)
		}
		before = s.Devices()
	}
	for _, stored := range []flops.Storage{flops.Int8, flops.Int4} {
		fixed := plan.Serving{Batch: 8, TP: 1}
		whole := served(t, "llama-2-7b", "h100", fixed)
		fixed.Stored = stored
		s := served(t, "llama-2-7b", "h100", fixed)
		if !(s.Decoding.Memory.PeakBytes < whole.Decoding.Memory.PeakBytes) ||
			!(s.Decoding.StepSeconds.Value < whole.Decoding.StepSeconds.Value) {
			t.Errorf("%s weights save nothing", stored)
		}
	}
	few := served(t, "t5-3b", "a100", plan.Serving{PerSecond: 10, MaxSeconds: 5})
	many := served(t, "t5-3b", "a100", plan.Serving{PerSecond: 1000, MaxSeconds: 5})
	if !(few.Devices() < many.Devices()) || !(few.Load <= 1) || !(many.Load <= 1) {
		t.Errorf(
			"10/s take %d devices, 1000/s %d; loads %g and %g",
			few.Devices(),
			many.Devices(),
			few.Load,
			many.Load,
		)
	}
}

// Where nothing can serve there is a reason.
func TestServingMissing(t *testing.T) {
	for name, s := range map[string]*plan.Served{
		"no decoder":   served(t, "bert-base-uncased", "a100", plan.Serving{}),
		"too large":    served(t, "llama-2-70b", "l4", plan.Serving{}),
		"too slow":     served(t, "t5-base", "a100", plan.Serving{MaxSeconds: 1e-3}),
		"odd division": served(t, "t5-base", "a100", plan.Serving{TP: 5}),
	} {
		if s.Decoding != nil || s.Missing == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := served(t, "t5-base", "rtx-4090", plan.Serving{}); s.Decoding == nil ||
		s.PerMonth.Interval != nil || s.PerMonth.Missing == "" {
		t.Errorf("without a price: %+v", s.PerMonth)
	}
}

// TestGenerate: keys and values of 6 layers of 512, in two bytes, are kept of each token, and of the
// source; a shape without a decoder is refused.
func TestGenerate(t *testing.T) {
	small, err := shapes.Parse("t5-small")
	if err != nil {
		t.Fatal(err)
	}
	g, err := plan.Generate(&small, flops.PaperWorkload, flops.Execution{}, 7)
	const perToken = 2 * 6 * 512 * 2
	if err != nil || g.TokenBytes != perToken || g.SourceTokenBytes != perToken ||
		g.Workload.Batch != 1 || g.Workload.DecoderLength != 7 ||
		g.Memory.Peak[flops.SelfCacheBytes] != 7*perToken {
		t.Errorf("%+v, %v", g, err)
	}
	bert, _ := shapes.Parse("bert-base")
	if _, err := plan.Generate(&bert, flops.PaperWorkload, flops.Execution{}, 7); err == nil {
		t.Error("a shape without a decoder generates")
	}
}
