package hardware

import (
	"errors"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

func phase(t *testing.T, name, device string, w flops.Workload, steps float64) Phase {
	p := found(t, device)
	price := 2.0
	rates, err := ResolveRates(p, StatedRates{PriceUSDPerHour: &price, Region: "us-central1"})
	if err != nil {
		t.Fatal(err)
	}
	return Phase{
		Name: name, Length: Length{Steps: steps}, Rates: rates, Goodput: DefaultGoodput(),
		Run: Run{
			Profile: p, Shape: t5(768, 3072, 12, 12, 12), Workload: w,
			Layout: flops.Layout{DP: 8},
		},
	}
}

// The bill of pre-training and fine-tuning is that of both, bound by bound.
func TestPhasesAddUp(t *testing.T) {
	glue, err := FindFineTuning("GLUE")
	// the T5 library's lengths
	if err != nil || glue.Workload.EncoderLength != 512 || glue.Workload.DecoderLength != 84 {
		t.Fatalf("%+v, %v", glue, err)
	}
	pre, tune := phase(t, "pre-training", "a100", flops.PaperWorkload, 524_288),
		phase(t, "GLUE", "tpu-v3", glue.Workload, glue.Steps)
	c, err := PlanPhases([]Phase{pre, tune})
	if err != nil || len(c.Phases) != 2 {
		t.Fatalf("%d phases, %v", len(c.Phases), err)
	}
	for name, part := range map[string]func(*Schedule) Estimate{
		"cost": func(s *Schedule) Estimate { return s.Bill.CostUSD }, "wall": func(s *Schedule) Estimate { return s.Occupancy.WallSeconds },
	} {
		got := map[string]Estimate{"cost": c.Bill.CostUSD, "wall": c.WallSeconds}[name]
		a, b := part(&c.Phases[0].Schedule), part(&c.Phases[1].Schedule)
		if !equal(got.Interval.Value, a.Interval.Value+b.Interval.Value) ||
			!equal(got.Interval.High, a.Interval.High+b.Interval.High) {
			t.Errorf("%s: %+v of %+v and %+v", name, got.Interval, a.Interval, b.Interval)
		}
	}
}

// A phase without a step time has a reason, and so has the total.
func TestUntimedPhases(t *testing.T) {
	p := phase(t, "fine-tuning", "a100", flops.PaperWorkload, 1000)
	p.Run.Profile.IntraBytesPerSecond = nil
	c, err := PlanPhases([]Phase{phase(t, "pre-training", "a100", flops.PaperWorkload, 1000), p})
	if err != nil {
		t.Fatal(err)
	}
	if c.Phases[1].Untimed == "" || c.Bill.CostUSD.Interval != nil ||
		!strings.Contains(c.Bill.CostUSD.Missing, "fine-tuning: ") {
		t.Errorf("untimed %q, cost missing %q", c.Phases[1].Untimed, c.Bill.CostUSD.Missing)
	}
	var preset *PresetError
	if _, err := FindFineTuning("glu"); !errors.As(err, &preset) || preset.Nearest != "glue" {
		t.Errorf("glu: %v", err)
	}
}
