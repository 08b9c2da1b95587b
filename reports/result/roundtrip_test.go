package result

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// What a command writes is read back into the same struct without loss, for every shape that can be
// counted.
func TestResultsAreReadBackAsWritten(t *testing.T) {
	profile, err := hardware.Parse("a100")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" {
			continue
		}
		again(t, e.Name, ShapeOf(&e.Shape))
	}
	for _, name := range []string{"t5-base", "llama-3-8b", "bert-base", "switch-base-8"} {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		q := plan.Question{Shape: s, Profile: &profile, Devices: 8, Decode: 1, Detail: true}
		a, err := q.Answer()
		if err != nil {
			t.Fatal(err)
		}
		again(t, name, PlanOf(&a))
		measured(t, PlanOf(&a), a.Measures())
		again(t, name, Phase{Phase: "first", Plan: PlanOf(&a)})
		again(t, name, Count{
			Shape: ShapeOf(&s), Workload: WorkloadOf(&s, a.Run.Workload), Params: ParamsOf(&a.Params),
			FLOPs: FLOPsOf(a.FLOPs), Memory: MemoryOf(&a.Memory, nil),
			Breakdown: SharesOf(flops.NewLedger(&s, a.Run.Workload).ByComponent()),
		})
		again(t, name, Finding{
			File: "a", Rule: "b", Status: "fail", Metric: "params", Run: RunOf(&a.Run),
		})
		again(t, name, Difference{Name: name, Attribution: []Effect{}, Run: RunOf(&a.Run)})
	}
}

// again writes a value, reads it into a T and writes that.
func again[T any](t *testing.T, name string, v T) {
	t.Helper()
	wrote, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var read T
	if err := json.Unmarshal(wrote, &read); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if twice, _ := json.Marshal(read); !bytes.Equal(wrote, twice) {
		t.Errorf("%s: wrote %s, read back as %s", name, wrote, twice)
	}
}

// measured reads the metrics of a result back; those that are absent are absent still.
func measured(t *testing.T, v any, want plan.Measures) {
	t.Helper()
	wrote, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m Measured
	if err := json.Unmarshal(wrote, &m); err != nil {
		t.Fatal(err)
	}
	got := m.Measures()
	for _, metric := range plan.Metrics() {
		a, b := got[metric].Interval, want[metric].Interval
		if (a == nil) != (b == nil) || a != nil && *a != *b {
			t.Errorf("%s: %v is read back as %v", metric, b, a)
		}
	}
}

// Numbers of recommend and bounds that lack are no surprise: the one is exact, the other unknown.
func TestMeasured(t *testing.T) {
	var m Measured
	err := json.Unmarshal([]byte(`{"run_flops":5,"decode_seconds":{"value":2,"low":1,"high":3},
		"params":{"total":7},"time":{"step_seconds":{"value":2}}}`), &m)
	got := m.Measures()
	if err != nil || got[plan.RunFLOPs].Interval.High != 5 ||
		got[plan.DecodeLatency].Interval.Low != 1 ||
		got[plan.Params].Interval.Value != 7 || got[plan.NonEmbedding].Interval != nil ||
		got[plan.StepTime].Interval != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
