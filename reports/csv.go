package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// writeCSV writes one row per result. Columns are the JSON fields with their path joined by dots
// (params.total), in order of first appearance; a list of plain values is one cell joined by
// semicolons, an object in a list has its index in the path. Numbers are as in JSON. Texts that a
// spreadsheet would take for a formula have an apostrophe before them; each is one line.
func writeCSV(w io.Writer, d *result.Document) error {
	var columns []string
	position := map[string]int{}
	rows := make([]map[string]string, len(d.Results))
	for n, result := range d.Results {
		text, err := json.Marshal(result)
		if err != nil {
			return err
		}
		f := flattener{cells: map[string]string{}}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := f.value(decoder, ""); err != nil {
			return err
		}
		for _, c := range f.order {
			if _, known := position[c]; !known {
				position[c] = len(columns)
				columns = append(columns, c)
			}
		}
		rows[n] = f.cells
	}
	if len(columns) == 0 {
		return nil
	}
	out := csv.NewWriter(w)
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = harmless(plain.Line(c))
	}
	if err := out.Write(head); err != nil {
		return err
	}
	record := make([]string, len(columns))
	for _, cells := range rows {
		for c, n := range position {
			record[n] = cells[c]
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// flattener walks the tokens of a JSON value, so that fields keep their order.
type flattener struct {
	order []string
	cells map[string]string
}

func (f *flattener) value(d *json.Decoder, path string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return f.object(d, path)
		}
		return f.list(d, path)
	case nil:
		return nil
	case string:
		f.put(path, harmless(plain.Line(t)))
		return nil
	default:
		f.put(path, fmt.Sprint(t))
		return nil
	}
}

// formula finds what begins as a formula does, also behind a semicolon, at which some programs part
// cells, and in the wide letters that some take for the narrow ones.
var formula = regexp.MustCompile(`(^|;)(\s*[=+\-@＝＋－＠])`)

// harmless puts an apostrophe before what a spreadsheet would take for a formula.
func harmless(text string) string { return formula.ReplaceAllString(text, "$1'$2") }

func (f *flattener) object(d *json.Decoder, path string) error {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := f.value(d, join(path, fmt.Sprint(key))); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (f *flattener) list(d *json.Decoder, path string) error {
	var plain []string
	for n := 0; d.More(); n++ {
		item := flattener{cells: map[string]string{}}
		if err := item.value(d, ""); err != nil {
			return err
		}
		for _, c := range item.order {
			if c == "" {
				plain = append(plain, item.cells[c])
			} else {
				f.put(join(join(path, fmt.Sprint(n)), c), item.cells[c])
			}
		}
	}
	if plain != nil {
		f.put(path, strings.Join(plain, ";"))
	}
	_, err := d.Token()
	return err
}

func (f *flattener) put(path, text string) {
	if _, known := f.cells[path]; !known {
		f.order = append(f.order, path)
	}
	f.cells[path] = text
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
