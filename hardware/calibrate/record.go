package calibrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
)

// Record is one measured step of the reference kernel, one line of JSON. [ReadSteps] reads it too.
type Record struct {
	Shape         string  `json:"shape"`
	Batch         int     `json:"batch"`
	EncoderLength int     `json:"encoder_length"`
	DecoderLength int     `json:"decoder_length"`
	StepSeconds   float64 `json:"step_seconds"` // median
	// Spread is half of the distance between the quartiles of the steps, over the median.
	Spread    float64 `json:"spread"`
	Steps     int     `json:"steps"` // timed, after the warm-up
	Precision string  `json:"precision"`
	Optimizer string  `json:"optimizer"`
	Attention string  `json:"attention"`
	Path      string  `json:"path"` // instruction path
	Threads   int     `json:"threads"`
	// The probes taken right before and after: the lower of the two rates, the geometric mean of
	// the two bandwidths.
	PeakFLOPsPerSecond      float64 `json:"peak_flops_per_second"`
	BandwidthBytesPerSecond float64 `json:"bandwidth_bytes_per_second"`
	// CPUShare is the processor time of the process over wall clock times threads during the steps;
	// absent where it is not known.
	CPUShare *float64 `json:"cpu_share,omitempty"`
	// Contended says what spoke of other work on the machine: empty when nothing did.
	Contended string `json:"contended,omitempty"`
	Machine   string `json:"machine"`
	Date      string `json:"date"` // RFC 3339, UTC

	where string // file and line; empty where it was just measured
}

// WriteRecord writes one line, in one call of w.Write.
func WriteRecord(w io.Writer, r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record of %s: %w", r.Shape, err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadRecords reads lines of [WriteRecord]; name stands in the errors, with the line.
func ReadRecords(name string, in io.Reader) ([]Record, error) {
	var records []Record
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s:%d: not a record of calibrate: %w", name, n, err)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%s:%d: not a record of calibrate: %w", name, n, err)
		}
		r.where = fmt.Sprintf("%s:%d", name, n)
		records = append(records, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return records, nil
}

// check refuses what no machine measures.
func (r *Record) check() error {
	if r.Shape == "" {
		return errors.New("no shape")
	}
	share := 0.0 // absent is not known
	if r.CPUShare != nil {
		share = *r.CPUShare
	}
	const most = 1 << 24 // sequences, positions and threads
	for _, c := range []struct {
		field             string
		value, low, above float64
	}{
		{"step_seconds", r.StepSeconds, 1e-9, 1e7},
		{"peak_flops_per_second", r.PeakFLOPsPerSecond, 1, 1e21},
		{"bandwidth_bytes_per_second", r.BandwidthBytesPerSecond, 1, 1e21},
		{"cpu_share", share, 0, 1e4},
		{"batch", float64(r.Batch), 1, most},
		{"encoder_length", float64(r.EncoderLength), 1, most},
		{"decoder_length", float64(r.DecoderLength), 1, most},
		{"threads", float64(r.Threads), 1, most},
	} {
		if !(c.value >= c.low && c.value <= c.above) {
			return fmt.Errorf("%s is %g; allowed: %g to %g", c.field, c.value, c.low, c.above)
		}
	}
	return nil
}

// withBetter appends a record, or replaces an earlier one of its point if it is
// better: undisturbed, or else quicker.
func withBetter(records []Record, r Record) []Record {
	i := slices.IndexFunc(records, func(o Record) bool { return o.point() == r.point() })
	switch {
	case i < 0:
		return append(records, r)
	case r.Contended == "" || records[i].Contended != "" && r.StepSeconds < records[i].StepSeconds:
		records[i] = r
	}
	return records
}

// pointKey tells points apart, whatever the machine.
type pointKey struct {
	shape                   string
	batch, encoder, decoder int
}

func (r *Record) point() pointKey {
	return pointKey{r.Shape, r.Batch, r.EncoderLength, r.DecoderLength}
}

// of reports whether the record is of a point.
func (r *Record) of(p *Point) bool {
	return r.point() == pointKey{
		p.Shape.Name, p.Workload.Batch, p.Workload.EncoderLength,
		p.Workload.DecoderLength,
	}
}

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
