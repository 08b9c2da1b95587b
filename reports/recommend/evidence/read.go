package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// RecordTable is a file of runs with the columns that a recommendation reads. Columns under the
// headings of other programs are taken, and Notes say so.
type RecordTable struct {
	Notes []string

	*learn.Runs
	file    string
	columns map[string]*records.Numbers
}

// NewRecordTable finds the columns; file is its name in notes and errors.
// The error is a [*records.AmbiguousError] or a [*records.ImplausibleError].
func NewRecordTable(runs *learn.Runs, file string) (*RecordTable, error) {
	t := &RecordTable{Runs: runs, file: file, columns: map[string]*records.Numbers{}}
	for _, name := range []string{
		"params", "non_embedding_params", "tokens", "flops", "data_bytes",
		"d_model", "encoder_layers", "decoder_layers", "layers", "loss", "score",
	} {
		if heading := t.ReadAs(name); heading != "" {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: column %s is read as %s; --map %s=... names another",
				file, heading, name, name))
		}
		n, err := t.Numbers(name)
		var several *records.AmbiguousError
		if errors.As(err, &several) {
			return nil, err
		}
		if err == nil {
			t.columns[name] = n
		}
	}
	return t, t.Implausible(t.Rows, "params", "tokens", "flops")
}

// recorded says whether any row has a number in that column.
func (t *RecordTable) recorded(column string) bool {
	n := t.columns[column]
	return n != nil && slices.ContainsFunc(n.Values, func(v float64) bool { return !math.IsNaN(v) })
}

// StandIn lets another column be one that the file lacks: for rankings inside a group what matters
// is that it grows alike.
func (t *RecordTable) StandIn(column, other string) {
	if !t.recorded(column) && t.recorded(other) {
		t.columns[column] = t.columns[other]
		t.Notes = append(t.Notes, fmt.Sprintf("%s: %s stands in for %s, which is not recorded",
			t.file,
			other, column))
	}
}

// LackingError reports a file of runs without any number in columns that are needed.
type LackingError struct {
	File             string
	Lacking, Columns []string
}

func (e *LackingError) Error() string {
	return fmt.Sprintf("%s: no numbers in %s; the columns are %s", e.File,
		strings.Join(e.Lacking, ", "), strings.Join(e.Columns, ", "))
}

// Need refuses a file without any number in columns that are needed; a|b needs one. The error is a
// [*LackingError].
func (t *RecordTable) Need(columns ...string) error {
	var lacking []string
	for _, c := range columns {
		if !slices.ContainsFunc(strings.Split(c, "|"), t.recorded) {
			lacking = append(lacking, strings.ReplaceAll(c, "|", " or "))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return &LackingError{File: t.file, Lacking: lacking, Columns: t.Names()}
}

// groups returns the text of a column for each row, or of several with commas between where no
// column has that name.
func (t *RecordTable) groups(by string) ([]string, error) {
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

// Records returns the runs; group names the column, or several with commas between, that tells runs
// apart whose results are not on one scale. encoder_layers and decoder_layers tell the
// architecture;
// with a column layers alone the models are decoder-only.
//
// Errors: [*LackingError], [*records.ColumnError].
func (t *RecordTable) Records(group string) ([]Record, error) {
	groups := make([]string, t.Len())
	if group != "" {
		var err error
		if groups, err = t.groups(group); err != nil {
			return nil, err
		}
	}
	if err := t.Need("params", "d_model", "layers|encoder_layers|decoder_layers"); err != nil {
		return nil, err
	}
	names, err := t.Text("shape")
	if err != nil {
		names = make([]string, t.Len())
	}
	outcome := func(name string, row int) *float64 {
		if n := t.columns[name]; n != nil && !math.IsNaN(n.Values[row]) {
			return &n.Values[row]
		}
		return nil
	}
	number := func(name string, row int) float64 { return *cmp.Or(outcome(name, row), new(float64)) }
	var out []Record
	for _, row := range t.Rows {
		r := Record{
			Name: names[row], Group: groups[row], DModel: int(number("d_model", row)),
			Params: number("params", row), Tokens: number("tokens", row),
			FLOPs: number("flops", row), EncoderLayers: int(number("encoder_layers", row)),
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
