package cli

import (
	"slices"
	"time"
)

// stopwatch keeps the lengths of laps.
type stopwatch struct {
	last time.Time
	laps []float64 // seconds
}

func (s *stopwatch) start() { s.last = time.Now() }

func (s *stopwatch) lap() {
	now := time.Now()
	s.laps = append(s.laps, now.Sub(s.last).Seconds())
	s.last = now
}

// median returns the median lap in seconds, 0 before the first.
func (s *stopwatch) median() float64 {
	if len(s.laps) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.laps))
	return sorted[len(sorted)/2]
}
