package recommend_test

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestProtocol(t *testing.T) {
	steps, err := recommend.Protocol(recommend.Request{},
		[]shapes.Shape{parse(t, "t5-efficient-small"), parse(t, "t5-base")})
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 2*7 {
		t.Fatalf("%d steps, want seven operations from each of two sizes", len(steps))
	}
	// What one more unit of each dimension adds, by hand from the formula of DESIGN.md §3 with i =
	// nh·kv: el 4di + 2df + 2d, dl 8di + 2df + 3d, and so on; t5-efficient-small has d 512, f 2048,
	// kv 64, nh 8, 6 layers each.
	const d, f, kv, nh, layers = 512, 2048, 64, 8, 6
	want := map[string]int64{
		"el": 4*d*kv*nh + 2*d*f + 2*d,
		"dl": 8*d*kv*nh + 2*d*f + 3*d,
		"nl": 4*d*kv*nh + 2*d*f + 2*d + 8*d*kv*nh + 2*d*f + 3*d,
		"ff": layers * 2 * (2 * d),
		"dm": layers*((4+8)*kv*nh+2*2*f+2+3) + 32128 + 2,
		"kv": layers * (4 + 8) * d * nh,
		"nh": layers*(4+8)*d*kv + 2*32, // and two tables of 32 buckets
	}
	for _, s := range steps {
		if s.Missing != "" {
			t.Errorf("%s %s: %s", s.From.Name, s.Op, s.Missing)
			continue
		}
		if s.Change.Params != flops.CountParameters(&s.To).Total-flops.CountParameters(
			&s.From).Total {
			t.Errorf("%s: params change by %d", s.To.Name, s.Change.Params)
		}
		if s.From.Name == "t5-efficient-small" {
			if got := s.Change.Params; got != want[s.Op]*int64(s.Next-s.Value) {
				t.Errorf("%s: params change by %d, want %d·%d", s.To.Name, got, want[s.Op],
					s.Next-s.Value)
			}
		}
		if _, err := shapes.Parse(s.To.Name); err != nil {
			t.Errorf("%s does not parse: %v", s.To.Name, err)
		}
		t.Log(s.From.Name, s.Op, s.Value, s.Next, s.To.Name, s.Change.Params, s.Downstream.Interval,
			s.Downstream.Missing, s.Downstream.Class)
		// The law reads depth, width and feed-forward, which vary in its rows; heads and d_kv do not
		// vary alone.
		told := s.Op != "kv" && s.Op != "nh"
		if (s.Downstream.Interval != nil) != told || (s.Downstream.Missing == "") != told {
			t.Errorf("%s: gain %+v, want one but for kv and nh", s.To.Name, s.Downstream)
		}
		if told && (!(s.Upstream.Interval.Value < 0) || !(s.Downstream.Interval.Value > 0)) {
			t.Errorf("%s: loss %+.3f, score %+.3f", s.To.Name, s.Upstream.Interval.Value,
				s.Downstream.Interval.Value)
		}
		// Base to DM1K: both were measured, 1.752 and 1.720, 69.81 and 71.02.
		if s.From.Name == "t5-base" && s.Op == "dm" {
			const printed = 1e-9
			if s.Downstream.Class != evidence.Measured ||
				!approx.Close(s.Downstream.Interval.Value, 71.02-69.81, printed) ||
				!approx.Close(s.Upstream.Interval.Value, 1.720-1.752, printed) {
				t.Errorf("Base to DM1K: %+v", s.Downstream)
			}
		}
	}
}
