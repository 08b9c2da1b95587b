// Package result holds the JSON documents of the commands, each struct once: the commands write
// them, and what reads a result back reads it into the same struct. Numbers are in base units, the
// unit is in the field name. Other programs rely on the names: a rename or a change of meaning
// raises the schema from v1 to v2.
package result

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Document is the machine-readable form of a result and the input of other commands.
type Document struct {
	Schema      string         `json:"schema"` // deepnarrow/<command>/v1
	Tool        Tool           `json:"tool"`
	Inputs      map[string]any `json:"inputs"`
	Conventions map[string]any `json:"conventions"`
	Results     []any          `json:"results"`
	Related     []any          `json:"related,omitempty"` // what stands beside the results and is not one of them
	Warnings    []string       `json:"warnings"`
}

// Tool says which program wrote a document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// schemaOf returns the schema of a command's documents.
func schemaOf(command string) string { return "deepnarrow/" + command + "/v1" }

// NewDocument returns an empty document of a command.
func NewDocument(command, version string) Document {
	return Document{
		Schema:      schemaOf(command),
		Tool:        Tool{Name: "deepnarrow", Version: version},
		Inputs:      map[string]any{},
		Conventions: map[string]any{},
		Results:     []any{},
		Warnings:    []string{},
	}
}

// Add adds results.
func (d *Document) Add(results ...any) { d.Results = append(d.Results, results...) }

// Warn adds warnings.
func (d *Document) Warn(warnings ...string) { d.Warnings = append(d.Warnings, warnings...) }

// Write writes the document, indented, with a final newline. Equal documents give equal bytes. NaN
// and infinities are an error: whatever builds a result decides what is absent.
func (d *Document) Write(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err := w.Write(plain.JSON(b.Bytes()))
	return err
}

// Saved is a document as it is read back: what a command wrote as a [Document].
type Saved struct {
	Schema      string            `json:"schema"`
	Tool        Tool              `json:"tool"`
	Inputs      map[string]any    `json:"inputs"`
	Conventions map[string]any    `json:"conventions"`
	Results     []json.RawMessage `json:"results"`
	Warnings    []string          `json:"warnings"`
}

// Command is the word between the slashes of the schema; empty for another's schema, or a version of
// it that this program does not know.
func (d *Saved) Command() string {
	parts := strings.Split(d.Schema, "/")
	if len(parts) != 3 || d.Schema != schemaOf(parts[1]) {
		return ""
	}
	return parts[1]
}

// Estimate is a value whose bounds may be unknown.
type Estimate struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
	SE    *float64 `json:"standard_error,omitempty"`
	// LogSE is the standard error of the natural logarithm, of a value solved for as one.
	LogSE   *float64 `json:"standard_error_ln,omitempty"`
	Profile *Bounds  `json:"profile,omitempty"`
}

// Bounds are absent where an end is open.
type Bounds struct {
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

// Interval returns the estimate with its bounds; ok is false where one is unknown.
func (e *Estimate) Interval() (in quantity.Interval, ok bool) {
	if e == nil || e.Low == nil || e.High == nil {
		return quantity.Interval{}, false
	}
	return quantity.Interval{Value: e.Value, Low: *e.Low, High: *e.High}, true
}

func estimateOf(e fit.Estimate) Estimate {
	out := Estimate{Value: e.Value}
	if e.HasInterval {
		out.Low, out.High = Finite(e.Low), Finite(e.High)
	}
	return out
}

// optional is estimateOf for a value that may be absent: 0 or NaN.
func optional(e fit.Estimate) *Estimate {
	if Finite(e.Value) == nil || e.Value == 0 {
		return nil
	}
	out := estimateOf(e)
	return &out
}

// Finite returns the value, nil for what JSON cannot hold.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Refused says why there is no answer.
type Refused struct {
	Kind   string   `json:"kind"`
	Names  []string `json:"names,omitempty"`
	Reason string   `json:"reason"`
}

func refusedOf(err error) *Refused {
	if err == nil {
		return nil
	}
	// A joined error has more to say than its first part.
	out := &Refused{Kind: "error", Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
	if r, ok := errors.AsType[*fit.Refusal](err); ok {
		out.Kind, out.Names = strings.ReplaceAll(r.Kind.String(), " ", "-"), r.Names
	}
	return out
}

// Measured is what the results of count, plan and recommend have in common, as it is read back.
// What a result lacks is 0 or nil.
type Measured struct {
	Shape struct {
		Name string `json:"name"`
	} `json:"shape"`
	Hardware      string             `json:"hardware"`
	Params        Params             `json:"params"`
	FLOPs         FLOPs              `json:"flops"`
	Memory        Memory             `json:"memory"`
	Time          Time               `json:"time"`
	RunFLOPs      amount             `json:"run_flops"`
	Cost          Cost               `json:"cost"`
	Decode        Decode             `json:"decode"`
	DecodeSeconds *quantity.Interval `json:"decode_seconds"` // of recommend
}

// amount is a number, or an estimate.
type amount struct{ *quantity.Interval }

func (a *amount) UnmarshalJSON(text []byte) error {
	var v float64
	if json.Unmarshal(text, &v) == nil {
		a.Interval = &quantity.Interval{Value: v, Low: v, High: v}
		return nil
	}
	return json.Unmarshal(text, &a.Interval)
}

// Measures returns the metrics that the result has.
func (m *Measured) Measures() plan.Measures {
	var out plan.Measures
	for metric, v := range map[plan.Metric]float64{
		plan.Params: float64(m.Params.Total), plan.NonEmbedding: float64(m.Params.NonEmbedding),
		plan.StepFLOPs: m.FLOPs.Step, plan.Memory: m.Memory.PeakBytes,
	} {
		if v > 0 {
			out[metric] = hardware.Exactly(v)
		}
	}
	for metric, i := range map[plan.Metric]*quantity.Interval{
		plan.RunFLOPs: m.RunFLOPs.Interval, plan.StepTime: m.Time.StepSeconds,
		plan.TotalTime: m.Time.TotalSeconds, plan.DeviceHours: m.Cost.DeviceHours,
		plan.Cost: m.Cost.USD, plan.Energy: m.Cost.EnergyKWh, plan.CO2: m.Cost.CO2Kg,
		plan.LifetimeCost:  m.Cost.Lifetime,
		plan.DecodeLatency: cmp.Or(m.Decode.LatencySeconds, m.DecodeSeconds),
	} {
		if i != nil && i.Low <= i.Value && i.Value <= i.High {
			out[metric] = hardware.Estimate{Interval: i}
		}
	}
	return out
}
