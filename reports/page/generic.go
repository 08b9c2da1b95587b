package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// field is a leaf of a result by its path, in words and as a cell.
type field struct {
	path, text string
	cell       reports.Cell
}

func wordField(path, text string) field { return field{path, text, reports.Text(text)} }

func amountField(path string, in quantity.Interval) field {
	text := written(path, in)
	return field{path, text, reports.Estimate(in).Written(text)}
}

// tree is a result taken apart: its leaves in the document's order, and its lists of objects.
type tree struct {
	fields []field
	lists  []list
}

type list struct {
	path string
	rows []tree
}

// anything shows results of a command that has no section of its own: a single one field by field,
// several as rows of one table, and every list of objects as a table.
func (s *section) anything(d *result.Saved) error {
	var rows []tree
	for _, raw := range d.Results {
		t, err := takeApart(raw)
		if err != nil {
			return err
		}
		rows = append(rows, t)
	}
	if len(rows) == 1 {
		one := &rows[0]
		t := table{Table: reports.Table{Title: "Results", Columns: columnsOf("what", "¶value")}}
		for _, f := range one.fields {
			t.add(spaced(f.path), f.text)
		}
		s.Tables = append(s.Tables, t.cut())
		for _, l := range one.lists {
			s.Tables = append(s.Tables, tableOf(spaced(l.path), l.rows))
		}
		return nil
	}
	s.Tables = append(s.Tables, tableOf("Results", rows))
	return nil
}

// tableOf is a table of objects: a column a field, in order of first appearance; a list of objects
// is told by its length.
func tableOf(title string, rows []tree) table {
	const mostColumns = 24
	t := table{Table: reports.Table{Title: title}}
	index := map[string]int{}
	rest := max(0, len(rows)-mostRows)
	for i := range rows[:len(rows)-rest] {
		fields := rows[i].fields
		for _, l := range rows[i].lists {
			items := quantity.Of(len(l.rows), "item")
			fields = append(fields, wordField(l.path, items))
		}
		row := make([]reports.Cell, len(t.Columns), len(t.Columns)+len(fields))
		for _, f := range fields {
			c, known := index[f.path]
			if !known {
				if len(t.Columns) == mostColumns {
					continue
				}
				c = len(t.Columns)
				index[f.path] = c
				t.Columns = append(t.Columns, reports.Column{Title: spaced(f.path)})
				row = append(row, reports.Cell{})
			}
			row[c] = f.cell
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range t.Rows {
		t.Rows[i] = append(t.Rows[i], make([]reports.Cell, len(t.Columns)-len(t.Rows[i]))...)
	}
	t = t.cut()
	t.More = rest
	return t
}

// takeApart reads a result, its fields in their order.
func takeApart(raw json.RawMessage) (tree, error) {
	var t tree
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return t, cmp.Or(err, fmt.Errorf("a result is %.40s; allowed: an object", raw))
	}
	return t, t.object(d, "")
}

// object reads what follows the brace that opened an object.
func (t *tree) object(d *json.Decoder, path string) error {
	var inside tree
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		if err := inside.value(v, strings.TrimPrefix(path+"."+fmt.Sprint(key), ".")); err != nil {
			return err
		}
	}
	if in, ok := inside.interval(path); ok {
		t.fields = append(t.fields, in)
		return nil
	}
	t.fields, t.lists = append(t.fields, inside.fields...), append(t.lists, inside.lists...)
	return nil
}

func (t *tree) value(raw json.RawMessage, path string) error {
	const deepest = 8 // every level is read once more
	switch raw[0] {
	case '{':
		if strings.Count(path, ".") > deepest {
			t.fields = append(t.fields, wordField(path, "…"))
			return nil
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		_, _ = d.Token()
		return t.object(d, path)
	case '[':
		return t.list(raw, path)
	case 'n': // null
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	f := wordField(path, fmt.Sprint(v))
	if n, ok := v.(float64); ok {
		f = amountField(path, quantity.Interval{Value: n, Low: n, High: n})
	}
	t.fields = append(t.fields, f)
	return nil
}

// list keeps a list of objects, and writes any other into one cell.
func (t *tree) list(raw json.RawMessage, path string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	if len(items) > 0 &&
		!slices.ContainsFunc(items, func(r json.RawMessage) bool { return r[0] != '{' }) {
		l := list{path: path}
		for _, item := range items {
			inside, err := takeApart(item)
			if err != nil {
				return err
			}
			l.rows = append(l.rows, inside)
		}
		t.lists = append(t.lists, l)
		return nil
	}
	const most = 8
	var words []string
	for _, item := range items[:min(len(items), most)] {
		var v any
		if err := json.Unmarshal(item, &v); err != nil {
			return err
		}
		if _, nested := v.([]any); nested {
			v = "…"
		}
		words = append(words, fmt.Sprint(v))
	}
	if len(items) > most {
		words = append(words, fmt.Sprintf("and %d more", len(items)-most))
	}
	if len(words) > 0 {
		t.fields = append(t.fields, wordField(path, strings.Join(words, ", ")))
	}
	return nil
}

// interval joins value, low and high of an object to one cell.
func (t *tree) interval(path string) (field, bool) {
	bounds := map[string]float64{}
	for _, f := range t.fields {
		if n, ok := f.cell.Number(); ok {
			bounds[strings.TrimPrefix(f.path, path+".")] = n
		}
	}
	value, ok := bounds["value"]
	if !ok || path == "" || len(t.lists) > 0 {
		return field{}, false
	}
	in := quantity.Interval{Value: value, Low: value, High: value}
	if low, ok := bounds["low"]; ok {
		in.Low = low
	}
	if high, ok := bounds["high"]; ok {
		in.High = high
	}
	return amountField(path, in), true
}

// written writes an amount in the unit that the name of its field ends in.
func written(path string, in quantity.Interval) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	for _, k := range []struct {
		ending string
		kind   quantity.Kind
	}{
		{"seconds", quantity.Duration},
		{"bytes", quantity.Bytes},
		{"usd", quantity.Money},
		{"kwh", quantity.Energy},
		{"co2_kg", quantity.CarbonMass},
		{"flops", quantity.FLOP},
		{"tokens", quantity.Tokens},
		{"params", quantity.Params},
	} {
		if strings.HasSuffix(name, k.ending) {
			return quantity.FormatInterval(k.kind, in)
		}
	}
	const exact = 1e15
	if in.Low == in.High && in.Value == math.Trunc(in.Value) && math.Abs(in.Value) < exact {
		return quantity.Grouped(int64(in.Value))
	}
	return quantity.FormatInterval(quantity.Number, in)
}
