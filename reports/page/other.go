package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// mostRows keeps the page small and quick; the JSON has every row.
const mostRows = 1000

// cut drops the rows that are too many.
func (t table) cut() table {
	if len(t.Rows) > mostRows {
		t.More = len(t.Rows) - mostRows
		t.Rows = t.Rows[:mostRows]
	}
	return t
}

// left says that rows were dropped.
func (t *table) left() string { return fmt.Sprintf("%d more rows are in the JSON.", t.More) }

// findings fills a section with the results of check.
func (s *section) findings(results []json.RawMessage) error {
	t := table{Title: "Findings", Columns: columnsOf("status", "file", "#line", "rule", "¶message",
		"¶hint")}
	counts := map[string]int{}
	for _, raw := range results {
		var f struct {
			File, Rule, Status, Message, Hint string
			Line                              int
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return err
		}
		counts[f.Status]++
		line := words("–")
		if f.Line > 0 {
			line = number(fmt.Sprint(f.Line), float64(f.Line))
		}
		t.Rows = append(t.Rows, row{
			Class: "status-" + f.Status,
			Cells: []cell{
				words(f.Status), words(f.File), line, words(f.Rule), words(f.Message),
				words(f.Hint),
			},
		})
	}
	urgency := []string{"error", "fail", "warn", "pass"}
	slices.SortStableFunc(t.Rows, func(a, b row) int {
		return slices.Index(urgency, a.Cells[0].Text) - slices.Index(urgency, b.Cells[0].Text)
	})
	sum := subject{Name: "Rules"}
	for _, status := range urgency {
		sum.Cards = append(sum.Cards, card{
			Label: status, Value: fmt.Sprint(counts[status]),
			Bad: counts[status] > 0 && (status == "error" || status == "fail"),
		})
	}
	s.Subjects, s.Tables = append(s.Subjects, sum), append(s.Tables, t.cut())
	return nil
}

// metricKinds says how the metrics of a difference are written.
var metricKinds = map[string]quantity.Kind{
	"parameters": quantity.Params, "FLOP": quantity.FLOP, "bytes": quantity.Bytes,
	"seconds": quantity.Duration,
	"hours":   quantity.Count, "USD": quantity.Money, "kWh": quantity.Energy,
	"kgCO2e": quantity.CarbonMass,
}

// differences fills a section with the results of diff.
func (s *section) differences(results []json.RawMessage) error {
	t := table{
		Title: "What changes", Note: "~ the intervals overlap: the difference may be none.",
		Columns: columnsOf("what", "metric", "#base", "#change", "#Δ", "#Δ %",
			"¶causes, the largest first"),
	}
	for _, raw := range results {
		var d struct {
			Name, Metric, Unit, Only      string
			Base, Change, Delta, Relative *float64
			Overlap                       bool
			Attribution                   []struct {
				Field string
				Delta float64
			}
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
		kind := metricKinds[d.Unit]
		amount := func(v *float64) cell {
			if v == nil {
				return words("–")
			}
			sign := ""
			if *v < 0 {
				sign = "−"
			}
			return number(sign+quantity.Format(kind, math.Abs(*v), 0), *v)
		}
		share := words("–")
		if d.Relative != nil {
			share = number(fmt.Sprintf("%+.1f", 100**d.Relative), *d.Relative)
		}
		delta := amount(d.Delta)
		if d.Overlap {
			delta.Text += " ~"
		}
		slices.SortStableFunc(d.Attribution, func(a, b struct {
			Field string
			Delta float64
		},
		) int {
			return int(math.Copysign(1, math.Abs(b.Delta)-math.Abs(a.Delta)))
		})
		var causes []string
		for _, a := range d.Attribution {
			causes = append(causes, a.Field+" "+amount(&a.Delta).Text)
		}
		metric := d.Metric
		if d.Only != "" {
			metric = "in " + d.Only + " only"
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			words(d.Name), words(metric), amount(d.Base),
			amount(d.Change), delta, share, words(strings.Join(causes, "; ")),
		}})
	}
	s.Tables = append(s.Tables, t.cut())
	return nil
}

// anything shows results of other commands as one table: a column a field.
func (s *section) anything(results []json.RawMessage) error {
	const mostColumns = 24
	t := table{Title: "Results"}
	index := map[string]int{}
	for _, raw := range results {
		flat := map[string]cell{}
		d := json.NewDecoder(bytes.NewReader(raw))
		var v any
		if err := d.Decode(&v); err != nil {
			return err
		}
		flatten(flat, "", v)
		cells := make([]cell, len(t.Columns), len(t.Columns)+len(flat))
		for _, name := range slices.Sorted(maps.Keys(flat)) {
			i, known := index[name]
			if !known {
				if len(t.Columns) == mostColumns {
					continue
				}
				i = len(t.Columns)
				index[name] = i
				t.Columns = append(t.Columns, column{Title: name, Numeric: flat[name].Known})
				cells = append(cells, cell{})
			}
			cells[i] = flat[name]
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	for i := range t.Rows {
		for len(t.Rows[i].Cells) < len(t.Columns) {
			t.Rows[i].Cells = append(t.Rows[i].Cells, cell{})
		}
	}
	s.Tables = append(s.Tables, t.cut())
	return nil
}

// flatten names the leaves of a value by their path.
func flatten(out map[string]cell, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			flatten(out, strings.TrimPrefix(path+"."+key, "."), inner)
		}
	case []any:
		out[path] = words(plural(len(v)))
	case float64:
		out[path] = number(quantity.Shortest(v), v)
	case nil:
	default:
		out[path] = words(fmt.Sprint(v))
	}
}

func plural(n int) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}
