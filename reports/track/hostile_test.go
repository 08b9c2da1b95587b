package track

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestHostileLogs answers logs of odd values: whatever they hold, the answer is JSON without NaN, and
// its shares and verdict are of their kind.
func TestHostileLogs(t *testing.T) {
	values := []string{
		"", "0", "-1", "1", "2", "1e300", "1e18", "-0", "NaN", "inf", "1e-300", "3.5", "100", "x",
		"2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "1767323045", "-5e17",
	}
	heads := []string{"step", "tokens", "loss", "step_seconds", "timestamp", "_runtime", "tokens_per_sec"}
	p := toyPlan(t, "", `,"loss":{"value":1.9,"low":1.85,"high":1.95}`)
	random := rand.New(rand.NewPCG(3, 4))
	answered := 0
	for range 1000 {
		var text strings.Builder
		n := 1 + random.IntN(len(heads))
		columns := random.Perm(len(heads))[:n]
		for i, c := range columns {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(heads[c])
		}
		text.WriteByte('\n')
		for row := range random.IntN(30) {
			for i, c := range columns {
				if i > 0 {
					text.WriteByte(',')
				}
				if heads[c] == "step" && random.IntN(3) > 0 {
					fmt.Fprint(&text, row)
				} else {
					text.WriteString(values[random.IntN(len(values))])
				}
			}
			text.WriteByte('\n')
		}
		log, err := read(t, p, "run.csv", text.String())
		if err != nil {
			continue
		}
		q := Question{Plan: p, Log: log}
		if random.IntN(2) == 0 {
			q.Now = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		}
		r := q.Answer().Result()
		if _, err := json.Marshal(r); err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		if !(r.Progress.Share >= 0 && r.Progress.Share <= 1) || r.Verdict == "" {
			t.Fatalf("%+v\n%s", r, text.String())
		}
		answered++
	}
	if answered < 50 {
		t.Errorf("%d logs were answered", answered)
	}
}
