package track

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// Point is what a run recorded at a step. What it did not is NaN.
type Point struct {
	Step, Tokens float64
	Clock        float64 // seconds, since 1970 where the log's clock is absolute, else since its start
	StepSeconds  float64 // of the steps up to here
	Loss         float64
}

// Log is the recorded part of one run, by rising step.
type Log struct {
	Points   []Point
	Absolute bool // the clock tells the date
	// Restarts is how often the run went back to an earlier step, Redone how many rows that undid.
	Restarts, Redone int
	Broken           int // rows at the end whose loss is not a finite number
	Notes            []string
}

// latest is the last clock that a time.Duration since 1970 holds, in the year 2255.
const latest = 9e9

// restarted is how the reader of records says that a row was undone.
const restarted = "a restart of the run overwrote step"

// NewLog reads the rows of one run: its steps (or tokens), and where they are recorded the clock, the
// step time (also from steps or tokens a second) and the loss. Of several columns that may be the
// loss a held-out one counts, else the first.
//
// Errors: a [*records.ColumnError] where neither steps nor tokens are recorded, rows of several runs,
// no rows.
func NewLog(runs *learn.Runs, p *Plan) (*Log, error) {
	l := &Log{}
	if err := oneRun(runs); err != nil {
		return nil, err
	}
	c := logColumns{runs: runs, log: l, chosen: map[string]string{}}
	step, err := c.numbers("step")
	if step == nil {
		step, _ = c.numbers("steps")
	}
	tokens, _ := c.numbers("tokens")
	if step == nil && tokens == nil {
		return nil, err
	}
	clock := c.clock()
	seconds := c.stepSeconds(p)
	if !l.Absolute && seconds == nil && fallsOften(clock) {
		clock, seconds = nil, clock // a column of times, but of the steps
	}
	loss, _ := c.numbers("loss")
	at := func(n []float64, row int) float64 {
		if n == nil {
			return math.NaN()
		}
		return n[row]
	}
	var rows []Point
	for _, row := range runs.Selection.Rows {
		x := Point{
			Step: at(step, row), Tokens: at(tokens, row), Clock: at(clock, row),
			StepSeconds: at(seconds, row), Loss: at(loss, row),
		}
		if !(x.Clock >= 0 && x.Clock <= latest) {
			x.Clock = math.NaN()
		}
		if !possible(x.StepSeconds) {
			x.StepSeconds = math.NaN()
		}
		if step == nil {
			x.Step = x.Tokens / p.StepTokens
		}
		if x.Step >= 0 && x.Step < largest {
			rows = append(rows, x)
		}
	}
	if len(rows) == 0 {
		return nil, errors.New("no row of the log has a step")
	}
	if loss != nil {
		l.broken(runs, cmp.Or(c.chosen["loss"], "loss"))
	}
	l.settle(rows)
	l.undone(runs)
	return l, nil
}

// Last returns the latest time in the log; zero where its clock tells no date.
func (l *Log) Last() time.Time {
	if clock := l.Points[len(l.Points)-1].Clock; l.Absolute && !math.IsNaN(clock) {
		return timeOf(clock)
	}
	return time.Time{}
}

// oneRun refuses rows of several runs, or of several shapes.
func oneRun(runs *learn.Runs) error {
	for _, column := range []string{runs.Group, "shape"} {
		names, err := runs.Text(column)
		if err != nil {
			continue
		}
		var seen []string
		for _, row := range runs.Selection.Rows {
			if n := names[row]; n != "" && !slices.Contains(seen, n) {
				seen = append(seen, n)
			}
		}
		if len(seen) < 2 {
			continue
		}
		const shown = 5
		more := ""
		if len(seen) > shown {
			more = fmt.Sprintf(" and %d more", len(seen)-shown)
		}
		return fmt.Errorf("the log has %d runs; allowed: one of %s%s, by --where '%s=NAME'", len(seen),
			strings.Join(seen[:min(len(seen), shown)], ", "), more, column)
	}
	return nil
}

// logColumns finds the columns of a log.
type logColumns struct {
	runs   *learn.Runs
	log    *Log
	chosen map[string]string // of several columns that may be one
}

func (c *logColumns) note(format string, args ...any) {
	c.log.Notes = append(c.log.Notes, fmt.Sprintf(format, args...))
}

// numbers returns a column, of several that may be it the first; nil and the reason where none is.
func (c *logColumns) numbers(name string) ([]float64, error) {
	if name == "tokens" && !c.recorded(name) {
		return nil, nil // derived ones say nothing of the run
	}
	n, err := c.runs.Numbers(name)
	var several *records.AmbiguousError
	if errors.As(err, &several) {
		pick := several.Columns[0]
		for _, heading := range several.Columns {
			if name == "loss" && heldOut(heading) {
				pick = heading
				break
			}
		}
		c.note("Column %s is read as %s; --map %s='…' takes another of %s.", pick, name, name,
			strings.Join(several.Columns, ", "))
		c.chosen[name] = pick
		n, err = c.runs.Numbers(pick)
	}
	if err != nil {
		return nil, err
	}
	return n.Values, nil
}

// recorded says whether a file has the column.
func (c *logColumns) recorded(name string) bool {
	_, err := c.runs.Text(name)
	var several *records.AmbiguousError
	return err == nil || errors.As(err, &several)
}

// heldOut tells the name of a loss on data that is not trained on.
func heldOut(heading string) bool {
	h := strings.ToLower(heading)
	return strings.Contains(h, "val") || strings.Contains(h, "dev") || strings.Contains(h, "test")
}

// stepSeconds returns step times: recorded as such, or as the inverse of a rate.
func (c *logColumns) stepSeconds(p *Plan) []float64 {
	for _, of := range []struct {
		name string
		of   func(v float64) float64
	}{
		{"step_seconds", func(v float64) float64 { return v }},
		{"step_milliseconds", func(v float64) float64 { return v / 1e3 }},
		{"steps_per_second", func(v float64) float64 { return 1 / v }},
		{"tokens_per_second", func(v float64) float64 { return p.StepTokens / v }},
	} {
		n, _ := c.numbers(of.name)
		if n == nil {
			continue
		}
		out := make([]float64, len(n))
		for i, v := range n {
			if out[i] = of.of(v); !possible(out[i]) {
				out[i] = math.NaN()
			}
		}
		return out
	}
	return nil
}

// possible says whether a run can have steps of that many seconds: from a nanosecond to thirty years.
func possible(seconds float64) bool { return seconds >= 1e-9 && seconds <= 1e9 }

// clock returns when each row was written, in seconds; nil where the log does not say.
func (c *logColumns) clock() []float64 {
	texts, err := c.runs.Text("timestamp")
	var several *records.AmbiguousError
	if errors.As(err, &several) {
		texts, err = c.runs.Text(several.Columns[0])
	}
	if err == nil {
		out := make([]float64, len(texts))
		known, dated := 0, 0
		for i, t := range texts {
			var absolute bool
			if out[i], absolute = parseClock(t); !math.IsNaN(out[i]) {
				known++
				if absolute {
					dated++
				}
			}
		}
		if known > 0 {
			c.log.Absolute = dated == known
			return out
		}
		c.unread("timestamp", texts)
	}
	n, _ := c.numbers("elapsed")
	known := func(v float64) bool { return !math.IsNaN(v) }
	if texts, err := c.runs.Text("elapsed"); err == nil && !slices.ContainsFunc(n, known) {
		n = make([]float64, len(texts))
		for i, t := range texts {
			n[i] = colons(t)
		}
		if !slices.ContainsFunc(n, known) {
			c.unread("elapsed", texts)
		}
	}
	return n
}

// unread notes a column of which no cell is a time.
func (c *logColumns) unread(name string, cells []string) {
	if i := slices.IndexFunc(cells, func(cell string) bool { return cell != "" }); i >= 0 {
		c.note("No cell of the column of %s is read as a time, such as %.40q.", name, cells[i])
	}
}

// colons reads seconds as 1:02:03 or 2:03, as many programs write what has elapsed, with Python's "1
// day, " before; NaN for another text.
func colons(text string) float64 {
	total := 0.0
	if days, clock, ok := strings.Cut(text, ", "); ok {
		n, err := strconv.ParseFloat(strings.TrimRight(days, " days"), 64)
		if err != nil || strings.Count(clock, ":") != 2 {
			return math.NaN()
		}
		text, total = clock, 24*60*60*n
	}
	parts, unit := strings.Split(text, ":"), 1.0
	if len(parts) != 2 && len(parts) != 3 {
		return math.NaN()
	}
	for _, part := range slices.Backward(parts) {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil || !(n >= 0) {
			return math.NaN()
		}
		total, unit = total+unit*n, 60*unit
	}
	return total
}

// fallsOften tells times of steps from a clock, which falls back at restarts only and does not stand
// still.
func fallsOften(clock []float64) bool {
	falls, known, low, high := 0, 0, math.Inf(1), math.Inf(-1)
	for i, v := range clock {
		if i > 0 && v < clock[i-1] {
			falls++
		}
		if !math.IsNaN(v) {
			known++
			low, high = min(low, v), max(high, v)
		}
	}
	return 4*falls > known || low == high
}

// clockLayouts are how logs write dates; without a zone they are taken as UTC.
var clockLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05,000", "2006/01/02 15:04:05",
	"2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05 -0700", "2006-01-02",
	"2006-01-02 15:04", "2006-01-02T15:04", "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006",
}

// parseClock reads a date, seconds, milliseconds, microseconds or nanoseconds since 1970, or seconds
// since the start; NaN for another text.
func parseClock(text string) (seconds float64, absolute bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		for _, layout := range clockLayouts {
			if t, err := time.Parse(layout, text); err == nil {
				return float64(t.UnixNano()) / 1e9, true
			}
		}
		return math.NaN(), false
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN(), false
	}
	const from, thousand = 1e8, 1e3 // 1973; a clock of a run that lasts three years is a date
	for unit := v; ; unit /= thousand {
		if unit < from*thousand {
			return unit, unit >= from
		}
	}
}

// broken counts the rows at the end whose loss is there and not a finite number, where there are more
// of them than ever came together before: some logs write NaN where a step has no loss.
func (l *Log) broken(runs *learn.Runs, column string) {
	cells, err := runs.Text(column)
	if err != nil {
		return
	}
	tail, longest := 0, 0
	for _, row := range runs.Selection.Rows {
		cell := strings.ToLower(strings.TrimLeft(cells[row], "+-"))
		switch {
		case strings.HasPrefix(cell, "nan") || strings.HasPrefix(cell, "inf"):
			tail++
		case cell != "":
			longest, tail = max(longest, tail), 0
		}
	}
	if tail > longest {
		l.Broken = tail
	}
}

// settle puts the rows of a run in the order of their steps. Steps that fall back after some that
// rose are a restart, which undoes what was logged from there on; of rows of one step what the later
// one says counts. A relative clock that falls back began anew.
func (l *Log) settle(rows []Point) {
	falls, before, offset := 0, math.NaN(), 0.0
	for i := range rows {
		if i > 0 && rows[i].Step < rows[i-1].Step {
			falls++
		}
		if c := rows[i].Clock; !math.IsNaN(c) && !l.Absolute {
			if c < before {
				offset += before
			}
			before = c
			rows[i].Clock = c + offset
		}
	}
	const rising = 2.5 // rows that rise on average before they fall back; 2 in a random order
	if falls > 0 && float64(len(rows)) < rising*float64(falls+1) {
		slices.SortStableFunc(rows, func(a, b Point) int { return cmp.Compare(a.Step, b.Step) })
	}
	for _, x := range rows {
		n := len(l.Points)
		if n > 0 && x.Step < l.Points[n-1].Step {
			l.Restarts++
			for n > 0 && l.Points[n-1].Step >= x.Step {
				n--
				l.Redone++
			}
			l.Points = l.Points[:n]
		}
		if n > 0 && l.Points[n-1].Step == x.Step {
			l.Points[n-1] = l.Points[n-1].and(x)
			continue
		}
		l.Points = append(l.Points, x)
	}
}

// and is what two rows of one step say together.
func (x Point) and(later Point) Point {
	for _, f := range []struct{ to, from *float64 }{
		{&x.Tokens, &later.Tokens},
		{&x.Clock, &later.Clock},
		{&x.StepSeconds, &later.StepSeconds},
		{&x.Loss, &later.Loss},
	} {
		if !math.IsNaN(*f.from) {
			*f.to = *f.from
		}
	}
	return x
}

// undone counts the restarts that the reader of records has settled: rows undone whose lines follow
// each other are one.
func (l *Log) undone(runs *learn.Runs) {
	line := math.MinInt
	for _, lost := range runs.Lost {
		if !strings.HasPrefix(lost.Reason, restarted) {
			continue
		}
		if lost.Line != line+1 {
			l.Restarts++
		}
		line = lost.Line
		l.Redone++
	}
}
