package track

import "testing"

// FuzzReadPlan reads the documents of plan.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(`{"schema":"deepnarrow/plan/v1","inputs":{"hardware":["a100"]},"results":[{"shape":{"name":"s"},`+
		`"time":{"step_seconds":{"value":1,"low":0.5,"high":2}},"workload":{"batch":8,"tokens":1e9}}]}`), 0)
	f.Add([]byte(`{"schema":"deepnarrow/plan/v1","results":[null,{}]}`), 1)
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		if plan, err := ReadPlan("p.json", text, n); (plan == nil) == (err == nil) {
			t.Errorf("plan %v, error %v", plan, err)
		}
	})
}
