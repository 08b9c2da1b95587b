package sweep

import (
	"testing"
	"time"
)

// Laps of 1, 2, 3 and 10 s with a minute of saving between: the median is 2.5 s, and no lap holds
// the saving.
func TestLapsLeaveOutWhatIsBetween(t *testing.T) {
	var now time.Time
	l := Laps{Now: func() time.Time { return now }}
	if l.Median() != 0 {
		t.Error("a median of nothing")
	}
	l.Start()
	for _, seconds := range []int{3, 1, 10, 2} {
		now = now.Add(time.Duration(seconds) * time.Second)
		l.Lap()
		now = now.Add(time.Minute)
		l.Start()
	}
	if got := l.Median(); got != 2.5 {
		t.Errorf("median %v s, want 2.5", got)
	}
}
