package records

import (
	"strings"
	"testing"
)

func TestReadAs(t *testing.T) {
	table, err := readFile("runs.csv", strings.NewReader(
		"N,D,d,n_layers,Val Loss,score\n1e6,2e9,256,4,3.5,7\n"))
	if err != nil {
		t.Fatal(err)
	}
	for ours, want := range map[string]string{
		"params": "N", "tokens": "D", "d_model": "d",
		"layers": "n_layers", "loss": "Val Loss", "score": "", "encoder_layers": "",
	} {
		if got := table.ReadAs(ours); got != want {
			t.Errorf("%s is read from %q, want %q", ours, got, want)
		}
	}
	for ours, want := range map[string]float64{
		"params": 1e6, "tokens": 2e9, "d_model": 256,
		"layers": 4, "loss": 3.5, "score": 7,
	} {
		if n, err := table.Numbers(ours); err != nil || n.Values[0] != want {
			t.Errorf("%s: %v, %v", ours, n, err)
		}
	}
}
