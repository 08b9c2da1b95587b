package evidence

import (
	"math"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// rounding is what float64 loses over a handful of operations.
const rounding = 1e-12

func TestSpearman(t *testing.T) {
	for _, test := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		// By hand: ranks 1 2 3 4 5 and 2 1 4 3 5; Σd² = 4; 1 − 6·4/(5·24) = 0.8.
		{[]float64{1, 2, 3, 4, 5}, []float64{2, 1, 4, 3, 5}, 0.8},
		// Ties share ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, variances 1.5 and 2; 1.5/√3.
		{[]float64{0, 0, 7}, []float64{1, 2, 3}, 1.5 / math.Sqrt(3)},
		{[]float64{1, 1, 1}, []float64{1, 2, 3}, 0},
	} {
		if got := spearman(test.x, test.y); !approx.Close(got, test.want, rounding) {
			t.Errorf("spearman(%v, %v) = %g, want %g", test.x, test.y, got, test.want)
		}
	}
}

func TestUsualError(t *testing.T) {
	// Rank 0.8·(n + 1): the 8th of 9 errors, 9.6 of 11; four errors hold 80 % of five cases, three
	// do not.
	for _, test := range []struct {
		n    int
		want float64
	}{{9, 8}, {11, 9.6}, {4, 4}, {3, math.Inf(1)}, {0, math.Inf(1)}} {
		var errors []float64
		for i := test.n; i > 0; i-- {
			errors = append(errors, float64(i))
		}
		if got := usualError(errors); got != test.want && !approx.Relative(
			got, test.want, rounding) {
			t.Errorf("of %d errors %g, want %g", test.n, got, test.want)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	loss := 3.0
	rows := []Record{
		{DecoderLayers: 2, DModel: 64, Params: 1e6, Loss: &loss, Group: "a"},
		{Group: "b", Loss: &loss},
	}
	v, err := Validate(rows, false)
	if err == nil || len(v.Left) != 2 || !strings.Contains(v.Left[0], "1 row without") {
		t.Errorf("one usable row: %v, left out %q", err, v.Left)
	}
}

// Rows without tokens are left out where most have them; where most lack them no law reads tokens.
func TestSomeLackTokens(t *testing.T) {
	loss := 3.0
	with, without := Record{Params: 1e6, DModel: 64, DecoderLayers: 2, Tokens: 1e9, Loss: &loss},
		Record{Params: 1e6, DModel: 64, DecoderLayers: 2, Loss: &loss}
	for _, test := range []struct {
		rows []Record
		want int
	}{
		{[]Record{with, with, with, without}, 3},
		{[]Record{with, without, without, without}, 4},
		{[]Record{with, with, with, with}, 4},
	} {
		groups, left := validationGroups(test.rows, false)
		if len(groups) != 1 || len(groups[0].runs) != test.want ||
			(len(left) > 0) != (test.want < len(test.rows)) {
			t.Errorf("%d groups, left out %q; want %d rows", len(groups), left, test.want)
		}
	}
}

func TestValidateRefusesConstantOutcome(t *testing.T) {
	loss := 3.0
	var rows []Record
	for _, group := range []string{"a", "b"} {
		for i := 1; i < 5; i++ {
			rows = append(rows, Record{
				Params: 1e6 * float64(i), DModel: 64 * i, DecoderLayers: 2,
				Tokens: 1e9, Loss: &loss, Group: group,
			})
		}
	}
	if _, err := Validate(rows, false); err == nil || !strings.Contains(err.Error(), "nothing to rank") {
		t.Errorf("a constant outcome: %v", err)
	}
}
