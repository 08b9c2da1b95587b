package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// figures are the numbers that programs look for in a planned or recommended row. Each is there, or
// its path is under missing with a reason.
var figures = map[string][]string{
	"plan": {
		"memory.fits", "time.step_seconds", "time.total_seconds", "steps", "tokens",
		"cost.usd", "cost.device_hours", "cost.energy_kwh", "cost.co2_kg",
	},
	"recommend": {
		"time.step_seconds", "time.total_seconds", "decode_seconds", "quality.upstream",
		"quality.downstream",
		"cost.usd", "cost.device_hours", "cost.energy_kwh", "cost.co2_kg",
	},
}

// Every kind of model is planned on every accelerator, and recommended with and without one; no
// figure is absent without a reason.
func TestAbsentFiguresHaveReasons(t *testing.T) {
	names := []string{
		"t5-base", "t5-xxl", "switch-base-8", "gpt2", "llama-2-7b",
		"bert-base-uncased", "whisper-tiny", "t5-tiny/nl=1,dm=64,nh=1,ff=64",
	}
	for i, p := range hardware.Catalogue() {
		if testing.Short() && i%4 != 0 {
			continue
		}
		reasoned(t, append([]string{"plan", "--hardware", p.Name, "--devices", "8"}, names...)...)
	}
	reasoned(t, "recommend", "--like", "t5-base")
	reasoned(t, "recommend", "--like", "t5-base", "--hardware", "l40s", "--devices", "8")
	for _, listed := range []string{"gpt2", "whisper-tiny"} {
		reasoned(t, "recommend", "--candidates", listed)
		reasoned(t, "recommend", "--candidates", listed, "--hardware", "l40s", "--devices", "8")
	}
}

func reasoned(t *testing.T, args ...string) {
	t.Helper()
	line := strings.Join(args, " ")
	code, stdout, stderr := run(t, "", append(args, "--format", "json")...)
	if code != frame.ExitOK {
		t.Errorf("%s: exit %d: %s", line, code, stderr)
		return
	}
	var document struct{ Results []map[string]any }
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		t.Fatal(err)
	}
	for i, row := range document.Results {
		missing, _ := row["missing"].(map[string]any)
		for _, path := range figures[args[0]] {
			reason, _ := missing[path].(string)
			switch there := present(row, path); {
			case there && reason != "":
				t.Errorf("%s: result %d has %s and a reason for its absence", line, i, path)
			case !there && (strings.Trim(reason, "; ") == "" || strings.Contains(reason, "; ;")):
				t.Errorf("%s: result %d lacks %s, reason %q", line, i, path, reason)
			}
		}
		saved, _ := row["saved"].(map[string]any)
		if args[0] == "recommend" && i > 0 && saved["params"] == nil {
			t.Errorf("%s: result %d does not say what it saves", line, i)
		}
	}
}

// present reports whether a dotted path leads to something.
func present(row map[string]any, path string) bool {
	first, rest, more := strings.Cut(path, ".")
	value, ok := row[first]
	if !more || !ok {
		return ok
	}
	inner, ok := value.(map[string]any)
	return ok && present(inner, rest)
}
