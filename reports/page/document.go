package page

import (
	"encoding/json"
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Source is one result file.
type Source struct {
	Name string
	Text []byte
}

// decode reads a source; the error says what is wrong with it.
func decode(s Source) (*result.Saved, error) {
	var d result.Saved
	if err := json.Unmarshal(s.Text, &d); err != nil {
		return nil, fmt.Errorf("%s: is not a result: %w", s.Name, err)
	}
	if d.Command() == "" {
		return nil, fmt.Errorf(
			"%s: is not a result: schema is %.80q; allowed: what a command writes with --format json", s.Name, d.Schema)
	}
	return &d, nil
}

// estimate is a value with its interval, or a bare number, as results hold both.
type estimate struct{ *quantity.Interval }

// UnmarshalJSON reads a number, or value, low and high.
func (e *estimate) UnmarshalJSON(text []byte) error {
	var n float64
	if json.Unmarshal(text, &n) == nil {
		e.Interval = &quantity.Interval{Value: n, Low: n, High: n}
		return nil
	}
	var i struct {
		Value     float64
		Low, High *float64
	}
	if err := json.Unmarshal(text, &i); err != nil {
		return err
	}
	e.Interval = &quantity.Interval{Value: i.Value, Low: i.Value, High: i.Value}
	if i.Low != nil && i.High != nil {
		e.Low, e.High = *i.Low, *i.High
	}
	return nil
}

// estimateOf returns an estimate of a result; without bounds it is a bare number.
func estimateOf(e result.Estimate) estimate {
	in, ok := e.Interval()
	if !ok {
		in = quantity.Interval{Value: e.Value, Low: e.Value, High: e.Value}
	}
	return estimate{&in}
}

// text writes an estimate with its unit.
func (e estimate) text(kind quantity.Kind) string {
	if e.Interval == nil {
		return "unknown"
	}
	return quantity.FormatInterval(kind, *e.Interval)
}
