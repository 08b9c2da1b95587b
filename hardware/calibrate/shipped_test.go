package calibrate

import (
	"bytes"
	"flag"
	"math"
	"os"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

var update = flag.Bool("update", false, "write the fitted constants and the validation table")

// fitDrift is how far a refit may lie from the shipped constants, in the logarithm: other
// processors round the sums of a fit differently, by far less than any standard deviation.
const fitDrift = 1e-3

// The shipped constants are the fit to the shipped rows by the shipped model, and nothing else.
func TestShippedConstants(t *testing.T) {
	fitted := fitPublished(data.StepTimes(), data.DecodeTimes())
	if *update {
		var out bytes.Buffer
		if err := writeConstants(&out, fitted); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../../data/facts/step_constants.csv", out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	shipped := data.StepConstants()
	if len(shipped) != len(fitted) {
		t.Fatalf("%d rows are shipped, the fit has %d; run %s", len(shipped), len(fitted),
			shippedCommand)
	}
	for i, want := range fitted {
		got := shipped[i]
		if got.Name != want.Name || !approx.Close(math.Log(got.Value/want.Value), 0, fitDrift) ||
			!approx.Close(got.LogSD, want.LogSD, fitDrift) {
			t.Errorf("shipped %s = %g (sd %g), the fit gives %s = %g (sd %g); run %s", got.Name,
				got.Value, got.LogSD, want.Name, want.Value, want.LogSD, shippedCommand)
		}
	}
}
