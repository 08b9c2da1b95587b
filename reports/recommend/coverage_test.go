package recommend_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// New runs amid the records fall into the 80 % intervals about that often.
func TestRecordIntervalsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: coverage over many draws")
	}
	const (
		seeds = 40
		noise = 0.02 // standard deviation of the loss in nats
		// 80 % of 40·4 = 160 cases: three standard deviations of the binomial share are 9 %, and
		// the four cases of one seed share its fit, which halves the number of independent ones.
		low, high = 0.67, 0.93
	)
	var fresh []shapes.Shape
	for _, d := range [][2]int{{320, 6}, {448, 10}, {512, 14}, {640, 8}} {
		fresh = append(fresh, decoder(t, d[0], d[1]))
	}
	held, asked := 0, 0
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 80))
		var records []evidence.Record
		for _, w := range []int{256, 384, 512, 768} {
			for _, l := range []int{4, 8, 12, 20} {
				for _, d := range []float64{1e9, 4e9, 16e9} {
					s := decoder(t, w, l)
					records = append(records, record(&s, d,
						shapeLaw(float64(w), float64(l), float64(flops.CountParameters(&s).Total),
							d)+noise*random.NormFloat64()))
				}
			}
		}
		r, err := recommend.Recommend(recommend.Request{
			Source: recommend.Listed, Candidates: fresh,
			Basis: evidence.Basis{Records: records}, Question: plan.Question{Length: hardware.Length{Tokens: 4e9}}, Objective: recommend.BestQuality,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			truth := shapeLaw(float64(row.Shape.DModel), float64(row.Shape.Decoder.Layers),
				float64(row.Params.Total), 4e9)
			asked++
			if math.Abs(
				row.Quality.Upstream.Interval.Value-truth-noise*random.NormFloat64()) <= row.Quality.Upstream.Interval.HalfWidth() {
				held++
			}
		}
	}
	share := float64(held) / float64(asked)
	t.Logf("%d of %d new runs inside", held, asked)
	if asked != seeds*len(fresh) || !(share >= low && share <= high) {
		t.Errorf("%.2f of %d new runs fall into their 80 %% intervals", share, asked)
	}
}
