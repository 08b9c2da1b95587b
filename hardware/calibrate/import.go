package calibrate

import (
	"bufio"
	"bytes"
	"encoding"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// maxStepsBytes bounds a file of measurements: a million lines of them.
const maxStepsBytes = 256 << 20

// StepShape reads the shape of a row: a name, or a file in the folder of the table.
type StepShape func(ref string) (shapes.Shape, error)

// ReadSteps returns the measured steps of a CSV or JSON-lines file made on devices of one profile;
// name stands in the errors. A line is one run in one of two forms:
//
//	shape, batch, step_seconds, and where they matter encoder_length, decoder_length, dp, tp, pp, zero, micro_batch, accumulate,
//	precision, optimizer, recompute, attention, compiled        the user's own measurements
//	the columns of facts/step_times.csv                       a published table
//
// The shape is a name, or what a model beside it says, as the twin writes it. What a line of the
// first form leaves out is that of base; lengths are the shape's defaults. Other
// columns are ignored. Rows of the second form keep their layout and execution, and take the base's
// profile and stack. Every fault of the file is reported at once, with its line.
func ReadSteps(name string, in io.Reader, base hardware.Run, shape StepShape) ([]Measurement,
	error,
) {
	text, err := io.ReadAll(io.LimitReader(in, maxStepsBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(text) > maxStepsBytes:
		return nil, fmt.Errorf("%s: larger than measurements can be; at most %d bytes", name,
			maxStepsBytes)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var lines []stepLine
	if first := bytes.TrimSpace(text); len(first) > 0 && first[0] == '{' {
		lines, err = jsonLines(name, text)
	} else {
		lines, err = csvLines(name, text)
	}
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf(
			"%s: no measurements; needed: columns such as shape, batch, step_seconds", name)
	}
	_, named := lines[0].cells["shape"]
	_, numbered := lines[0].cells["id"]
	if !named && !numbered && lines[0].model == nil {
		return nil, fmt.Errorf("%s: no column shape, nor id as in facts/step_times.csv; there are: %s", name,
			strings.Join(slices.Sorted(maps.Keys(lines[0].cells)), ", "))
	}
	if lines[0].cells["shape"] == "" {
		return publishedSteps(name, text, lines, base)
	}
	var out []Measurement
	var faults []error
	for _, l := range lines {
		if l.cells["matmul"] != "" || l.cells["generate"] != "" {
			continue // a session of the twin measures products and generation besides
		}
		m, err := l.measurement(base, shape)
		m.Where = fmt.Sprintf("%s:%d", name, l.line)
		if err != nil {
			const mostFaults = 20 // a file of the wrong kind is told soon enough
			if faults = append(faults, fmt.Errorf("%s:%d: %w", name, l.line, err)); len(faults) > mostFaults {
				break
			}
			continue
		}
		out = append(out, m)
	}
	return out, errors.Join(faults...)
}

// stepLine is one line of a file, by column.
type stepLine struct {
	line  int
	cells map[string]string
	model *twinShape // the shape itself, as the twin writes it; nil for a name
}

func csvLines(name string, text []byte) ([]stepLine, error) {
	reader := csv.NewReader(bytes.NewReader(text))
	head, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: no heading: %w", name, err)
	}
	var out []stepLine
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := reader.FieldPos(0)
		l := stepLine{line: line, cells: make(map[string]string, len(head))}
		for i, column := range head {
			l.cells[strings.TrimSpace(column)] = strings.TrimSpace(row[i])
		}
		out = append(out, l)
	}
}

func jsonLines(name string, text []byte) ([]stepLine, error) {
	var out []stepLine
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, 1<<20)
	for n := 1; scanner.Scan(); n++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		decoder.UseNumber() // digits as written
		var object map[string]any
		if err := decoder.Decode(&object); err != nil {
			return nil, fmt.Errorf("%s:%d: not a JSON object: %w", name, n, err)
		}
		l := stepLine{line: n, cells: make(map[string]string, len(object))}
		var model struct{ Model *twinShape }
		if _, ok := object["model"].(map[string]any); ok {
			if err := json.Unmarshal(scanner.Bytes(), &model); err != nil {
				return nil, fmt.Errorf("%s:%d: model: %w", name, n, err)
			}
		}
		l.model = model.Model
		for key, value := range object {
			if value != nil && key != "model" {
				l.cells[key] = fmt.Sprint(value)
			}
		}
		out = append(out, l)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// measurement reads a line of the first form.
func (l *stepLine) measurement(base hardware.Run, read StepShape) (Measurement, error) {
	m := Measurement{Run: base}
	r := &m.Run
	var faults []error
	fail := func(column string, err error) {
		faults = append(faults, fmt.Errorf("%s: %w", column, err))
	}
	if l.model != nil {
		read = l.model.shape
	}
	shape, err := read(l.cells["shape"])
	if err != nil {
		return m, fmt.Errorf("shape: %w", err)
	}
	r.Shape, m.Group = shape, l.cells["shape"]
	r.Workload = flops.DefaultWorkload(&shape)
	for column, at := range map[string]*int{
		"batch": &r.Workload.Batch, "encoder_length": &r.Workload.EncoderLength,
		"decoder_length": &r.Workload.DecoderLength,
		"dp":             &r.Layout.DP, "tp": &r.Layout.TP, "pp": &r.Layout.PP, "zero": &r.Layout.ZeRO,
		"micro_batch": &r.Layout.MicroBatch, "accumulate": &r.Layout.Accumulate,
	} {
		if text := l.cells[column]; text != "" {
			n, err := quantity.ParseExact(quantity.Count, text)
			if err != nil {
				fail(column, err)
			}
			*at = int(n)
		}
	}
	for column, at := range map[string]encoding.TextUnmarshaler{
		"precision": &r.Execution.Precision, "optimizer": &r.Execution.Optimizer,
		"recompute": &r.Execution.Recompute, "attention": &r.Execution.Attention,
	} {
		if text := l.cells[column]; text != "" {
			if err := at.UnmarshalText([]byte(text)); err != nil {
				fail(column, err)
			}
		}
	}
	if text := l.cells["compiled"]; text != "" {
		yes, err := strconv.ParseBool(text)
		if err != nil {
			fail("compiled", fmt.Errorf("neither true nor false: %q", text))
		}
		r.Software.Compiled = &yes
	}
	switch text := l.cells["step_seconds"]; text {
	case "":
		fail("step_seconds", errors.New("nothing given"+l.nearest("step_seconds")))
	default:
		if m.Seconds, err = quantity.Parse(quantity.Duration, text); err != nil {
			if m.Seconds, err = quantity.Parse(quantity.Number, text); err != nil {
				fail("step_seconds", err)
			}
		}
		if err == nil && !(m.Seconds > 0) {
			fail("step_seconds", fmt.Errorf("%s; allowed: more than 0", text))
		}
	}
	if len(faults) == 0 {
		if err := r.Layout.Validate(&r.Shape, r.Workload); err != nil {
			faults = append(faults, err)
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return m, errors.Join(faults...)
}

// nearest names a column that may have been meant.
func (l *stepLine) nearest(column string) string {
	if near := suggest.Nearest(column, slices.Sorted(maps.Keys(l.cells))); near != "" {
		return "; is the column " + near + " meant?"
	}
	return ""
}

// publishedSteps reads lines of the second form, which data reads as CSV.
func publishedSteps(name string, text []byte, lines []stepLine, base hardware.Run) ([]Measurement,
	error,
) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		var table bytes.Buffer
		columns := map[string]string{}
		for _, l := range lines {
			maps.Copy(columns, l.cells)
		}
		head := slices.Sorted(maps.Keys(columns))
		out := csv.NewWriter(&table)
		rows := [][]string{head}
		for _, l := range lines {
			row := make([]string, len(head))
			for i, c := range head {
				row[i] = l.cells[c]
			}
			rows = append(rows, row)
		}
		if err := out.WriteAll(rows); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text = table.Bytes()
	}
	rows, err := data.ReadStepTimes(name, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var out []Measurement
	var faults []error
	for _, row := range rows {
		run, err := measured.Read(row)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		run.Run.Profile, run.Run.Software.Stack = base.Profile, base.Software.Stack
		out = append(out, Measurement{
			Run: run.Run, Seconds: run.Seconds, Group: row.Model, Where: name + ": " + row.ID,
		})
	}
	return out, errors.Join(faults...)
}

// FitProfile fits the step-time model to measured steps and returns the profile with the constants
// found, and the fit. files are where the steps were read, for the profile to tell. Errors are those
// of [Fit].
func FitProfile(p hardware.Profile, steps []Measurement, files []string) (hardware.Profile, Result,
	error,
) {
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(file)
	}
	found, err := Fit(steps, fmt.Sprintf("%s of %s", quantity.Of(len(steps), "step"), strings.Join(names, ", ")))
	if err != nil {
		return p, found, err
	}
	found.Calibration.FittedOn += found.quality()
	p = p.Clone()
	p.Calibration = &found.Calibration
	if len(p.Aliases) > 0 {
		p.Name = p.Aliases[0] + " calibrated"
	}
	return p, found, nil
}
