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
