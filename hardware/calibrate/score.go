package calibrate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Rows are measured rows to score, of training steps and of generation speeds.
type Rows struct {
	Steps  []data.StepTime
	Speeds []data.DecodeTime
}

// Read adds the rows of a file: of generation speeds where its heading has a column of those, else of
// training steps.
func (r *Rows) Read(name string, file io.Reader) error {
	const longestHead = 1 << 16
	in := bufio.NewReaderSize(file, longestHead)
	head, _ := in.Peek(longestHead)
	first, _, _ := strings.Cut(string(head), "\n")
	if data.HasDecodeRates(strings.Split(strings.TrimSpace(first), ",")) {
		some, err := data.ReadDecodeTimes(name, in)
		r.Speeds = append(r.Speeds, some...)
		return err
	}
	some, err := data.ReadStepTimes(name, in)
	r.Steps = append(r.Steps, some...)
	return err
}

// Score holds the rows together against the shipped model. The error says that none can be scored, and
// why not the first.
func (r *Rows) Score() ([]Validation, error) {
	var out []Validation
	if len(r.Steps) > 0 {
		out = append(out, validateNew(r.Steps))
	}
	if len(r.Speeds) > 0 {
		out = append(out, validateNewDecoding(r.Speeds))
	}
	scored, left := 0, []Unscored{}
	for i := range out {
		scored += len(out[i].Rows)
		left = append(left, out[i].Unscored...)
	}
	switch {
	case scored > 0:
		return out, nil
	case len(left) == 0:
		return nil, errors.New("there are no rows to score")
	}
	return nil, fmt.Errorf("none of %s can be scored; the first, %s: %s", quantity.Of(len(left), "row"), left[0].ID,
		left[0].Reason)
}

// ScorePublished holds the published rows against what the others tell, by group, source and device,
// our own steps against the calibration of their machine, and the published speeds of generation.
func ScorePublished() ([]Validation, error) {
	own, err := validateOwn()
	out := Validate(data.StepTimes(), ByGroup, BySource, ByDevice)
	return append(out, own, validateDecoding(data.DecodeTimes())), err
}
