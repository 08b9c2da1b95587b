package sweep

import (
	"slices"
	"time"
)

// Laps takes the times of steps; what happens between the end of a lap and the next Start, such as
// the writing of a checkpoint, is in none.
type Laps struct {
	// Now is the clock.
	Now func() time.Time

	last    time.Time
	seconds []float64
}

// Start begins a lap.
func (l *Laps) Start() { l.last = l.Now() }

// Lap ends the lap in hand, and begins the next.
func (l *Laps) Lap() {
	now := l.Now()
	l.seconds = append(l.seconds, now.Sub(l.last).Seconds())
	l.last = now
}

// Median returns the median lap in seconds, 0 before the first.
func (l *Laps) Median() float64 {
	if len(l.seconds) == 0 {
		return 0
	}
	x := slices.Sorted(slices.Values(l.seconds))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
