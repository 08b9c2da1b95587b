package frame

import (
	"strings"
	"testing"
)

// A command line is told as it can be typed again, without where the result goes.
func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{strings.Fields("plan t5-base --devices=8 -o plan.json"), "deepnarrow plan t5-base --devices=8"},
		{strings.Fields("plan t5-base --format json --devices 8"), "deepnarrow plan t5-base --devices 8"},
		{strings.Fields("plan t5-base --output=x.md --format=markdown"), "deepnarrow plan t5-base"},
		{strings.Fields("plan t5-base -oplan.json"), "deepnarrow plan t5-base"},
		{strings.Fields("plan t5-base --wide -q -f json --color=never"), "deepnarrow plan t5-base"},
		{strings.Fields("plan t5-base -o"), "deepnarrow plan t5-base"},
		{[]string{"fit", "runs.csv", "--where", "loss<6"}, "deepnarrow fit runs.csv --where 'loss<6'"},
		{[]string{"count", "it's", ""}, `deepnarrow count 'it'\''s' ''`},
		{[]string{"plan", "t5-small/nl=16", "--max-cost", "$5000"}, "deepnarrow plan t5-small/nl=16 --max-cost '$5000'"},
	} {
		if got := commandLine(c.args); got != c.want {
			t.Errorf("%q: %s, want %s", c.args, got, c.want)
		}
	}
}
