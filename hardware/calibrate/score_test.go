package calibrate

import (
	"strings"
	"testing"
)

// TestRowsTellSpeedsByTheirHeading: the heading says what a file holds, whatever its first line's length.
func TestRowsTellSpeedsByTheirHeading(t *testing.T) {
	var r Rows
	if _, err := r.Score(); err == nil || err.Error() != "there are no rows to score" {
		t.Errorf("no rows: %v", err)
	}
	if err := r.Read("steps.csv", strings.NewReader("id,accelerator\nx,no-such-device\n")); err != nil {
		t.Fatal(err)
	}
	if len(r.Steps) != 1 || len(r.Speeds) != 0 {
		t.Errorf("%d steps and %d speeds, want 1 and 0", len(r.Steps), len(r.Speeds))
	}
	if _, err := r.Score(); err == nil || !strings.Contains(err.Error(), "none of 1 row can be scored; the first, x") {
		t.Errorf("a row of an unknown device: %v", err)
	}
}
