package recommend

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestParseDepths(t *testing.T) {
	if low, high, err := ParseDepths("4:48"); low != 4 || high != 48 || err != nil {
		t.Errorf("4:48 is %d to %d, %v", low, high, err)
	}
	for _, wrong := range []string{"", "4", "0:4", "4:x", "1.5:2", "1:4097"} {
		if _, _, err := ParseDepths(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestAlignTo(t *testing.T) {
	known := hardware.Profile{Align: &hardware.Field{Fact: data.Fact{Value: 128}}}
	for _, c := range []struct {
		word    string
		profile *hardware.Profile
		align   int
		known   bool
	}{
		{"", nil, 0, true},
		{"64", &known, 64, true},
		{"", &known, 128, true},
		{"profile", &known, 128, true},
		{"profile", nil, 0, false},
		{"profile", &hardware.Profile{}, 0, false},
	} {
		var got Constraints
		if ok := got.AlignTo(c.word, c.profile); ok != c.known || got.Align != c.align {
			t.Errorf("%q: multiples of %d, %v; want %d, %v", c.word, got.Align, ok, c.align, c.known)
		}
	}
}

func TestRowOfAResult(t *testing.T) {
	r := Result{
		Anchor: &Row{Shape: shapes.Shape{Name: "anchor-shape"}},
		Rows:   []Row{{Rank: 1, Shape: shapes.Shape{Name: "a"}}, {Rank: 2, Shape: shapes.Shape{Name: "b"}}},
	}
	for which, want := range map[string]*Row{
		"anchor": r.Anchor, "0": r.Anchor, "anchor-shape": r.Anchor, "2": &r.Rows[1], "a": &r.Rows[0], "3": nil,
	} {
		if got := r.Row(which); got != want {
			t.Errorf("%q finds %v", which, got)
		}
	}
}

// The names of objectives: costs in the order of the table of metrics, then quality.
func TestParseObjective(t *testing.T) {
	for i, m := range costs {
		if got, err := ParseObjective(m.String()); got != m || err != nil || objectives()[i] != m.String() {
			t.Errorf("%s reads as %v, %v", m, got, err)
		}
	}
	if got, err := ParseObjective("quality"); got != BestQuality || err != nil {
		t.Errorf("quality reads as %v, %v", got, err)
	}
	if got, err := ParseObjective("speed"); got != plan.NoMetric || err == nil ||
		!strings.Contains(err.Error(), `unknown objective: "speed"; allowed: `+costs[0].String()+", ") {
		t.Errorf("speed reads as %v, %v", got, err)
	}
}
