package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// readJSON reads JSON lines, a list of objects, or a trainer_state.json. Objects inside a row
// become columns with dots in their names; lists are left out. A line that is no JSON is dropped
// with its reason.
func readJSON(name string, text *bufio.Reader, first byte) (*Table, error) {
	b := builder{table: newTable(nil), at: map[string]*column{}}
	if first == '[' {
		all, err := io.ReadAll(text)
		if err != nil {
			return nil, err
		}
		var items []json.RawMessage
		if err := json.Unmarshal(all, &items); err != nil {
			return nil, jsonError(name, all, err)
		}
		for i, item := range items {
			b.object(Origin{name, i + 1}, item)
		}
		return b.done(name)
	}
	all, err := io.ReadAll(text)
	if err != nil {
		return nil, err
	}
	if t, ok, err := readTrainerState(name, all); ok || err != nil {
		return t, err
	}
	// One object may span lines only when it is the whole file.
	if json.Valid(all) {
		b.object(Origin{name, 1}, all)
		return b.done(name)
	}
	for line := 1; len(all) > 0; line++ {
		row, rest, _ := bytes.Cut(all, []byte("\n"))
		all = rest
		if row = bytes.TrimSpace(row); len(row) > 0 {
			b.object(Origin{name, line}, row)
		}
	}
	return b.done(name)
}

// builder makes a table of rows whose columns come up as they are read.
type builder struct {
	table *Table
	at    map[string]*column
	full  bool
}

// row starts a row.
func (b *builder) row(o Origin) {
	b.table.origins = append(b.table.origins, o)
	for _, c := range b.table.columns {
		c.text = append(c.text, "")
	}
}

// maxColumns bounds what a file of ever new fields can make of a table, whose size is rows times
// columns.
const maxColumns = 4096

// put sets a cell of the last row. Columns beyond maxColumns are left out, with a warning.
func (b *builder) put(heading, text string) {
	c := b.at[heading]
	if c == nil {
		if len(b.table.columns) >= maxColumns {
			if !b.full {
				b.full = true
				b.table.Warnings = append(b.table.Warnings,
					fmt.Sprintf(
						"%s: more than %d different fields; %q and later new ones are left out",
						b.table.origins[len(b.table.origins)-1], maxColumns, heading))
			}
			return
		}
		c = b.table.add(heading)
		b.at[heading] = c
	}
	c.text[len(c.text)-1] = text
}

func (b *builder) object(o Origin, text []byte) {
	fields, err := decodeObject(text)
	if err != nil {
		b.table.Lost = append(b.table.Lost, Lost{o, err.Error()})
		return
	}
	b.row(o)
	b.flatten("", fields)
}

func decodeObject(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if d.More() {
		return nil, errors.New("more than one JSON value on the line")
	}
	if fields == nil {
		return nil, errors.New("no JSON object: null")
	}
	return fields, nil
}

func (b *builder) flatten(prefix string, fields map[string]any) {
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		switch v := fields[n].(type) {
		case map[string]any:
			b.flatten(prefix+n+".", v)
		case nil, []any:
		default:
			b.put(prefix+n, fmt.Sprint(v))
		}
	}
}

func (b *builder) done(name string) (*Table, error) {
	if b.table.Len() == 0 && len(b.table.Lost) > 0 {
		first := b.table.Lost[0]
		return nil, &Error{File: name, Line: first.Line, Problem: first.Reason}
	}
	return b.table, nil
}

func jsonError(name string, text []byte, err error) error {
	line := 0
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line = 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
	}
	return &Error{File: name, Line: line, Problem: err.Error()}
}
