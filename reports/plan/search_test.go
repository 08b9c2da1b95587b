package plan_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// upTo is what two ways to add the same numbers may differ by, relative.
const upTo = 1e-12

// instance is a small search drawn at random: a shape, a few accelerators, and limits around what
// they need.
type instance struct {
	q        plan.Question
	clusters []plan.Cluster
	limits   plan.Limits
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// linked are accelerators of which every number is known that a layout needs.
var linked = []string{
	"tpu-v3", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "v100", "a100", "a100-40gb", "h100", "h200", "b200",
}

func drawInstance(t *testing.T, r *rand.Rand) instance {
	s, err := shapes.Parse(pick(r, "t5-small", "t5-base", "t5-large", "t5-3b", "gpt2", "bert-base-uncased"))
	if err != nil {
		t.Fatal(err)
	}
	in := instance{q: plan.Question{
		Shape:    s,
		Workload: flops.Workload{Batch: pick(r, 4, 8, 12, 24)},
		Length:   hardware.Length{Tokens: pick(r, 1e9, 2e10)},
	}}
	if r.IntN(2) == 0 {
		in.q.Optimizer = new(flops.Optimizer)
		*in.q.Optimizer = flops.Adam
	}
	for range 1 + r.IntN(3) {
		spec := pick(r, linked...)
		if r.IntN(3) == 0 {
			spec += pick(r, ",price=0.5", ",price=3")
		}
		c, err := plan.ParseClusters(nil, spec)
		if err != nil {
			t.Fatal(err)
		}
		in.clusters = append(in.clusters, c...)
	}
	in.limits = plan.Limits{Devices: pick(r, 2, 4, 8), Sure: pick(r, 0.5, 0.75, 0.9, 0.95)}
	if r.IntN(4) > 0 {
		in.limits.WallSeconds = math.Exp(r.Float64()*9) * 600 // ten minutes to two months
	}
	if r.IntN(2) > 0 {
		in.limits.USD = math.Exp(r.Float64()*8) * 5 // $5 to $15,000
	}
	return in
}

// winner is what brute force finds: the least cost, the least wall clock and the fewest devices of
// all that keep to the limits.
type winner struct {
	usd, wall float64
	devices   int
}

// bruteForce lays every cluster out in every way and times each with [hardware.Predict]; it shares
// only that and the rates with what it judges.
func bruteForce(t *testing.T, in *instance) winner {
	best := winner{math.Inf(1), math.Inf(1), math.MaxInt}
	for i := range in.clusters {
		q := in.clusters[i].Ask(in.q)
		q.Devices = 1
		resolved, err := q.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range in.clusters[i].Profile.Counts(in.limits.Devices) {
			seconds := math.Inf(1)
			var fastest hardware.Prediction
			for run := range everyLayout(resolved.Run, n) {
				p, err := hardware.Predict(run)
				if err == nil && *p.Fits && p.StepSeconds.Value < seconds {
					seconds, fastest = p.StepSeconds.Value, p
				}
			}
			if math.IsInf(seconds, 1) {
				continue
			}
			run := resolved.Run
			s := hardware.Plan(n, hardware.Estimate{Interval: &fastest.StepSeconds},
				float64(run.Workload.TrainingTokens(&run.Shape)), in.q.Length, resolved.Goodput, resolved.Rates)
			wall, usd := s.Occupancy.WallSeconds, s.Bill.CostUSD
			keeps := func(e hardware.Estimate, most float64) bool {
				bound, known := e.AtMost(in.limits.Sure)
				return most == 0 || known && bound <= most
			}
			if !keeps(wall, in.limits.WallSeconds) || !keeps(usd, in.limits.USD) {
				continue
			}
			best.usd = min(best.usd, usd.Interval.Value)
			best.wall = min(best.wall, wall.Interval.Value)
			best.devices = min(best.devices, n)
		}
	}
	return best
}

// everyLayout yields a run in every way over n devices.
func everyLayout(run hardware.Run, n int) func(func(hardware.Run) bool) {
	return func(yield func(hardware.Run) bool) {
		w, s := run.Workload, &run.Shape
		chunks := []int{1, 2, 4}
		if s.CrossAttention() {
			chunks = chunks[:1]
		}
		for tp := 1; tp <= n; tp++ {
			for pp := 1; tp*pp <= n; pp++ {
				dp := n / tp / pp
				if dp*tp*pp != n || w.Batch%dp != 0 {
					continue
				}
				for micro := 1; micro <= w.Batch/dp; micro++ {
					for _, v := range chunks {
						for zero := range 4 {
							for _, mode := range []flops.Recompute{0, 1, 2} {
								split := tp > 1 && (s.Encoder.Layers == 0 || w.EncoderLength%tp == 0) &&
									(s.Decoder.Layers == 0 || w.DecoderLength%tp == 0)
								run.Execution.Recompute = mode
								run.Layout = flops.Layout{
									DP: dp, TP: tp, PP: pp, ZeRO: zero, MicroBatch: micro,
									Interleave: v, SequenceParallel: split,
								}
								// as the search: gradients and weights of a stage stay whole
								if zero > 1 && pp > 1 || run.Layout.Validate(s, w) != nil {
									continue
								}
								if !yield(run) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestOffersAreBruteForce: on 200 small instances drawn at random the cheapest, the fastest and the
// fewest devices are those that trying everything finds.
func TestOffersAreBruteForce(t *testing.T) {
	instances := 200
	if testing.Short() {
		instances = 15
	}
	r := rand.New(rand.NewPCG(17, 2))
	none := 0
	for i := range instances {
		in := drawInstance(t, r)
		found, err := in.q.Offers(in.clusters, in.limits)
		if err != nil {
			t.Fatal(err)
		}
		got := winner{math.Inf(1), math.Inf(1), math.MaxInt}
		for k := range found.Offers {
			o := &found.Offers[k]
			if o.Cheapest {
				got.usd = o.Schedule.Bill.CostUSD.Interval.Value
			}
			if o.Fastest {
				got.wall = o.Schedule.Occupancy.WallSeconds.Interval.Value
			}
			if o.Fewest {
				got.devices = o.Cluster.Devices
			}
		}
		want := bruteForce(t, &in)
		if math.IsInf(want.usd, 1) {
			none++
			if len(found.Offers) > 0 || len(found.Refused) != len(in.clusters) {
				t.Errorf("%d: %d offers where nothing keeps to the limits", i, len(found.Offers))
			}
			continue
		}
		if !approx.Relative(got.usd, want.usd, upTo) || !approx.Relative(got.wall, want.wall, upTo) ||
			got.devices != want.devices {
			t.Errorf("%d: %s, batch %d, %+v: found %+v, brute force %+v", i, in.q.Shape.Name,
				in.q.Workload.Batch, in.limits, got, want)
		}
	}
	if none == 0 || none > instances*3/4 {
		t.Errorf("%d of %d instances have no answer: the draws test little", none, instances)
	}
}

// TestOffersAreMonotone: a later deadline or a larger budget never costs more, and a higher price
// never gives a cluster a better place.
func TestOffersAreMonotone(t *testing.T) {
	searches := 60
	if testing.Short() {
		searches = 10
	}
	r := rand.New(rand.NewPCG(17, 3))
	cheapest := func(in *instance) float64 {
		found, err := in.q.Offers(in.clusters, in.limits)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Offers) == 0 {
			return math.Inf(1)
		}
		return found.Offers[0].Schedule.Bill.CostUSD.Interval.Value
	}
	rank := func(in *instance, i int) int {
		found, err := in.q.Offers(in.clusters, in.limits)
		if err != nil {
			t.Fatal(err)
		}
		place := 0
		for k := range found.Offers {
			if o := &found.Offers[k]; o.Best {
				if o.Cluster.Spec() == in.clusters[i].Spec() {
					return place
				}
				place++
			}
		}
		return len(in.clusters) // refused
	}
	for range searches {
		in := drawInstance(t, r)
		in.limits.Devices = 64
		was := cheapest(&in)
		later := in
		later.limits.WallSeconds *= 1 + r.Float64()
		later.limits.USD *= 1 + r.Float64()
		if now := cheapest(&later); !(now <= was) {
			t.Errorf("%+v costs %g, %+v %g", in.limits, was, later.limits, now)
		}
		in.limits.USD = 0
		i := r.IntN(len(in.clusters))
		before := rank(&in, i)
		raised := in
		raised.clusters = append([]plan.Cluster{}, in.clusters...)
		price := *in.clusters[i].Profile.PriceUSDPerHour
		price.Value *= 1 + 3*r.Float64()
		raised.clusters[i].Profile.PriceUSDPerHour = &price
		if after := rank(&raised, i); after < before {
			t.Errorf("%s at a higher price is number %d, before %d", in.clusters[i].Spec(), after, before)
		}
	}
}

// TestFrontByDefinition: no offer of a search is both faster and cheaper than one on the front, and
// what is not on it is beaten.
func TestFrontByDefinition(t *testing.T) {
	s, err := shapes.Parse("t5-3b")
	if err != nil {
		t.Fatal(err)
	}
	q := plan.Question{Shape: s, Workload: flops.Workload{Batch: 512}, Length: hardware.Length{Tokens: 1e11}}
	found, err := q.Offers(plan.Rentable(), plan.Limits{Devices: 128})
	if err != nil {
		t.Fatal(err)
	}
	cost := func(o *plan.Offer) float64 { return o.Schedule.Bill.CostUSD.Interval.Value }
	wall := func(o *plan.Offer) float64 { return o.Schedule.Occupancy.WallSeconds.Interval.Value }
	fronts := 0
	for i := range found.Offers {
		o, beaten := &found.Offers[i], false
		for k := range found.Offers {
			p := &found.Offers[k]
			beaten = beaten || cost(p) <= cost(o) && wall(p) < wall(o) || cost(p) < cost(o) && wall(p) <= wall(o)
		}
		if beaten == o.Front {
			t.Errorf("%s: beaten %v, on the front %v", &o.Cluster, beaten, o.Front)
		}
		if o.Front {
			fronts++
		}
	}
	if fronts < 3 || !found.Offers[0].Cheapest {
		t.Errorf("%d on the front", fronts)
	}
}

// TestEstimateQuantiles: at 90 % an 80 % interval ends; at 50 % stands the value; the two directions
// agree (by the definition of the log-normal distribution).
func TestEstimateQuantiles(t *testing.T) {
	e := hardware.Estimate{Interval: &quantity.Interval{Value: 100, Low: 80, High: 160}}
	for p, want := range map[float64]float64{
		0.9: 160, 0.1: 80, 0.5: 100,
		// the 0.975 quantile of the normal distribution is 1.959964, the 0.9 quantile 1.281552
		0.975: 100 * math.Pow(1.6, 1.959964/1.281552),
	} {
		const printed = 1e-6 // digits of the tables
		if got, ok := e.AtMost(p); !ok || !approx.Relative(got, want, printed) {
			t.Errorf("at %g: %g, want %g", p, got, want)
		}
	}
	for p := 0.01; p < 1; p += 0.01 {
		at, _ := e.AtMost(p)
		if back, ok := e.Probability(at); !ok || !approx.Relative(back, p, 1e-9) { // rounding of erf
			t.Errorf("%g at %g is %g", at, p, back)
		}
	}
	exact := hardware.Exactly(5)
	for limit, want := range map[float64]float64{4: 0, 5: 1, 6: 1} {
		if got, _ := exact.Probability(limit); got != want {
			t.Errorf("an exact 5 below %g: %g", limit, got)
		}
	}
}

func BenchmarkOffersXXL(b *testing.B) {
	s, err := shapes.Parse("t5-xxl")
	if err != nil {
		b.Fatal(err)
	}
	q := plan.Question{
		Shape: s, Workload: flops.Workload{Batch: 2048},
		Length: hardware.Length{Tokens: 1e12},
	}
	for b.Loop() {
		const day = 86400
		if _, err := q.Offers(plan.Rentable(), plan.Limits{WallSeconds: 30 * day}); err != nil {
			b.Fatal(err)
		}
	}
}
