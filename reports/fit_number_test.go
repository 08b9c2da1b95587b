package reports

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// The first rows are those that the trial could not publish: E 1.9 (1.8 to 1.9), B 2000 (2000 to
// 3000); and the review's N_C 60000000000000 (0 to 5360000000000000).
func TestParametersCanBePublished(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		e    result.Estimate
		want string
	}{
		{result.Estimate{Value: 1.8172, Low: at(1.774), High: at(1.861)}, "1.82 (1.77 to 1.86)"},
		{result.Estimate{Value: 2085.4, Low: at(1650), High: at(2710)}, "2085 (1650 to 2710)"},
		{result.Estimate{Value: 6e13, Low: at(5.4e11), High: at(5.36e15)}, "6.00e13 (5.40e11 to 5.36e15)"},
		{result.Estimate{Value: 0.3478, Low: at(0.34), High: at(0.36)}, "0.348 (0.340 to 0.360)"},
		{result.Estimate{Value: 4.2, Low: at(0.01), High: at(90)}, "4.20e0 (1.00e-2 to 9.00e1)"},
		{result.Estimate{Value: 1.69, Low: at(1.69), High: at(1.69)}, "1.69000"},
		{result.Estimate{Value: 757476399129}, "7.57476e11"},
		{result.Estimate{Value: 0, Low: at(0), High: at(0.5)}, "0.0 (0.0 to 0.5)"},
	} {
		if got := ParameterCell(c.e).text; got != c.want {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
}
