package calibrate

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/fit"
)

const (
	// fullShare is the least share of its threads' time that an undisturbed step gets.
	fullShare = 0.9
	// steadyClock is how far a probe of the multiply-add rate may fall below the best of all.
	steadyClock = 0.95
	// steadySteps is the most that the steps of one point may spread ([Record].Spread).
	steadySteps = 0.08
	// steadyMemory is the factor by which the memory bandwidth beside the points may vary before it
	// says that the machine changed.
	steadyMemory = 1.2
)

// disturbance says what spoke of other work on the machine while a step was measured, empty when
// nothing did: the process got less than fullShare of its threads' time; the rate of multiply-adds
// beside it fell below steadyClock, as with a clock that falls or a core that is shared; or its
// steps differ by more than steadySteps.
func (r *Record) disturbance(bestPeak float64) string {
	switch {
	case r.CPUShare != nil && *r.CPUShare < fullShare:
		return fmt.Sprintf("the process got %.2f of its threads' time", *r.CPUShare)
	case r.PeakFLOPsPerSecond < steadyClock*bestPeak:
		return fmt.Sprintf("the probed rate fell to %.2f of the best",
			r.PeakFLOPsPerSecond/bestPeak)
	case r.Spread > steadySteps:
		return fmt.Sprintf("its own steps spread by %.2f", r.Spread)
	}
	return ""
}

// bandwidths returns the memory bandwidth beside the points: the first and the last decile, and the
// median.
func bandwidths(records []Record) (low, middle, high float64) {
	if len(records) == 0 {
		return 0, 0, 0
	}
	const decile = 0.1
	all := make([]float64, len(records))
	for i, r := range records {
		all[i] = r.BandwidthBytesPerSecond
	}
	return fit.Quantile(all, decile), fit.Median(all), fit.Quantile(all, 1-decile)
}
