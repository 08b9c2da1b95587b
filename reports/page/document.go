package page

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Source is one result file.
type Source struct {
	Name string
	Text []byte
}

// document is the part of a result document that pages share.
type document struct {
	Schema      string            `json:"schema"`
	Tool        tool              `json:"tool"`
	Inputs      map[string]any    `json:"inputs"`
	Conventions map[string]any    `json:"conventions"`
	Results     []json.RawMessage `json:"results"`
	Warnings    []string          `json:"warnings"`
}

type tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// command is the word between the slashes of the schema.
func (d *document) command() string {
	parts := strings.Split(d.Schema, "/")
	if len(parts) != 3 {
		return ""
	}
	return parts[1]
}

// decode reads a source; the error says what is wrong with it.
func decode(s Source) (*document, error) {
	var d document
	if err := json.Unmarshal(s.Text, &d); err != nil {
		return nil, fmt.Errorf("%s: is not a result: %w", s.Name, err)
	}
	if !strings.HasPrefix(d.Schema, "deepnarrow/") || d.command() == "" {
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

// text writes an estimate with its unit.
func (e estimate) text(kind quantity.Kind) string {
	if e.Interval == nil {
		return "unknown"
	}
	return quantity.FormatInterval(kind, *e.Interval)
}
