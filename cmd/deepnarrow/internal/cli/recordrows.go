package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// recordRows reads runs as the evidence of a recommendation. encoder_layers and decoder_layers tell
// the architecture; with a column layers alone the models are decoder-only. Columns under the
// headings of other programs are taken, and the notes say so.
func (a *app) recordRows(f *runFlags, file, group string) (rows []recommend.Record, notes []string,
	err error,
) {
	t, err := a.recordTable(f, file)
	if err != nil {
		return nil, nil, err
	}
	rows, err = t.rows(group)
	return rows, t.notes, err
}

// recordTable is a file of runs with the columns that a recommendation reads.
type recordTable struct {
	*runs
	file    string
	columns map[string]*records.Numbers
	notes   []string
}

func (a *app) recordTable(f *runFlags, file string) (*recordTable, error) {
	table, err := a.runs(f, []string{file}, "loss")
	if err != nil {
		return nil, err
	}
	t := &recordTable{runs: table, file: file, columns: map[string]*records.Numbers{}}
	for _, name := range []string{
		"params", "non_embedding_params", "tokens", "flops", "data_bytes",
		"d_model", "encoder_layers", "decoder_layers", "layers", "loss", "score",
	} {
		if heading := table.Adopt(name); heading != "" {
			t.notes = append(t.notes, fmt.Sprintf(
				"%s: column %s is read as %s; --map %s=... names another", file, heading, name,
				name))
		}
		if n, err := table.Numbers(name); err == nil {
			t.columns[name] = n
		}
	}
	return t, nil
}

// recorded says whether any row has a number in that column.
func (t *recordTable) recorded(column string) bool {
	n := t.columns[column]
	return n != nil && slices.ContainsFunc(n.Values, func(v float64) bool { return !math.IsNaN(v) })
}

// standIn lets another column be one that the file lacks: for rankings inside a group what matters
// is that it grows alike.
func (t *recordTable) standIn(column, other string) {
	if !t.recorded(column) && t.recorded(other) {
		t.columns[column] = t.columns[other]
		t.notes = append(t.notes, fmt.Sprintf("%s: %s stands in for %s, which is not recorded",
			t.file, other, column))
	}
}

// need refuses a file without any number in columns that are needed; a|b needs one.
func (t *recordTable) need(columns ...string) error {
	var lacking []string
	for _, c := range columns {
		if !slices.ContainsFunc(strings.Split(c, "|"), t.recorded) {
			lacking = append(lacking, strings.ReplaceAll(c, "|", " or "))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return badInput(fmt.Errorf("%s: no numbers in %s; the columns are %s", t.file,
		strings.Join(lacking, ", "), strings.Join(t.Names(), ", ")),
		"name the shapes in a column shape, or give params, d_model and layers; --map names other columns")
}

// group returns the text of a column for each row, or of several with commas between where no
// column has that name.
func (t *recordTable) group(by string) ([]string, error) {
	text, err := t.Text(by)
	if err == nil || !strings.Contains(by, ",") {
		return text, err
	}
	out := make([]string, t.Len())
	for i, name := range strings.Split(by, ",") {
		if text, err = t.Text(name); err != nil {
			return nil, err
		}
		for row := range out {
			if i > 0 {
				out[row] += ", "
			}
			out[row] += text[row]
		}
	}
	return out, nil
}

// rows returns the runs.
func (t *recordTable) rows(group string) ([]recommend.Record, error) {
	groups := make([]string, t.Len())
	if group != "" {
		var err error
		if groups, err = t.group(group); err != nil {
			return nil, columnError(err)
		}
	}
	if err := t.need("params", "d_model", "layers|encoder_layers|decoder_layers"); err != nil {
		return nil, err
	}
	names, err := t.Text("shape")
	if err != nil {
		names = make([]string, t.Len())
	}
	number := func(name string, row int) float64 {
		if n := t.columns[name]; n != nil && !math.IsNaN(n.Values[row]) {
			return n.Values[row]
		}
		return 0
	}
	outcome := func(name string, row int) *float64 {
		n := t.columns[name]
		if n == nil || math.IsNaN(n.Values[row]) {
			return nil
		}
		return &n.Values[row]
	}
	var out []recommend.Record
	for _, row := range t.Rows {
		r := recommend.Record{
			Name: names[row], Group: groups[row], DModel: int(number("d_model", row)),
			Params: number("params", row), Tokens: number("tokens", row),
			FLOPs:         number("flops", row),
			EncoderLayers: int(number("encoder_layers", row)),
			DecoderLayers: int(number("decoder_layers", row)),
			Loss:          outcome("loss", row), Score: outcome("score", row),
		}
		if r.EncoderLayers+r.DecoderLayers == 0 {
			r.DecoderLayers = int(number("layers", row))
		}
		out = append(out, r)
	}
	return out, nil
}
