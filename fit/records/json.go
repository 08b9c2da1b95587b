package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxObject is how much text one JSON value may be when it is the whole file.
	maxObject = 256 << 20
	// maxNesting is how deep objects of a row may lie in each other.
	maxNesting = 32
)

// jsonFile reads JSON lines, a list of objects, or one value that is the whole file: a
// trainer_state.json, an object, lists by column, or what pandas writes. Objects inside a row become
// columns with dots in their names; lists are left out. The tokens NaN, Infinity and -Infinity that
// Python writes are cells without a number. A line that is not JSON is dropped with its reason.
func (b *builder) jsonFile(name string, text *bufio.Reader, first byte) error {
	b.in(name)
	if first == '[' {
		return b.jsonList(name, text)
	}
	if lower := strings.ToLower(name); strings.HasSuffix(lower, ".jsonl") || strings.HasSuffix(lower, ".ndjson") {
		b.begin(part{path: name, table: true}, "tables")
		return b.jsonLines(name, text)
	}
	start, err := text.Peek(text.Size())
	line, _, _ := bytes.Cut(bytes.TrimLeft(start, " \t\r\n"), []byte("\n"))
	if whole := python(line); json.Valid(whole) && !bytes.Contains(whole, []byte(`"log_history"`)) &&
		(err == nil || len(bytes.TrimSpace(start)) > len(line)) {
		b.begin(part{path: name, table: true}, "tables")
		return b.jsonLines(name, text)
	}
	all, err := io.ReadAll(io.LimitReader(text, maxObject+1))
	if err != nil {
		return err
	}
	if len(all) <= maxObject {
		whole := python(all)
		if ok, err := b.jsonWhole(name, whole); ok || err != nil {
			return err
		}
		if bytes.Contains(whole, []byte(`"log_history"`)) {
			var any json.RawMessage
			return jsonError(name, whole, json.Unmarshal(whole, &any))
		}
	}
	b.begin(part{path: name, table: true}, "tables")
	rest := io.MultiReader(bytes.NewReader(all), text)
	return b.jsonLines(name, bufio.NewReaderSize(rest, 1<<16))
}

func (b *builder) jsonLines(name string, text *bufio.Reader) error {
	l := lines{text: text}
	rows := b.Len()
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &Error{File: name, Line: l.line, Problem: err.Error()}
		}
		line = python(bytes.TrimSpace(line))
		switch {
		case len(line) == 0:
		case b.growing && l.torn && !json.Valid(line):
			b.writing(name, l.line)
		default:
			b.object(name, l.line, line)
		}
	}
	return b.anyRow(name, rows)
}

// anyRow is an error when a file gave no row but reasons for it.
func (b *builder) anyRow(name string, before int) error {
	if n := len(b.Lost); b.Len() == before && n > 0 {
		for _, lost := range b.Lost {
			if lost.File == name {
				return &Error{File: name, Line: lost.Line, Problem: lost.Reason}
			}
		}
	}
	return nil
}

// jsonList reads a list of objects, one at a time.
func (b *builder) jsonList(name string, text *bufio.Reader) error {
	b.begin(part{path: name, table: true}, "tables")
	rows := b.Len()
	in := &pythonReader{from: text}
	d := json.NewDecoder(in)
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return in.error(name, err)
	}
	for n := 1; d.More(); n++ {
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			if b.growing && errors.Is(err, io.ErrUnexpectedEOF) {
				b.writing(name, len(in.newlines)+1)
				return b.anyRow(name, rows)
			}
			return in.error(name, err)
		}
		b.object(name, n, item)
	}
	if _, err := d.Token(); err != nil && !(b.growing && errors.Is(err, io.EOF)) {
		return in.error(name, err)
	}
	return b.anyRow(name, rows)
}

func (b *builder) object(name string, line int, text []byte) {
	fields, err := decodeObject(text)
	if err != nil {
		b.lose(name, line, "%v", err)
		return
	}
	b.row(line)
	b.flatten("", "", fields, 0)
}

func decodeObject(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if d.More() {
		return nil, errors.New("more than one JSON value on the line")
	}
	if fields == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return fields, nil
}

// flatten puts the fields of a row. Names are those of a log where of says what to put before one
// one of our own; a table's own run and step are ours.
func (b *builder) flatten(of, prefix string, fields map[string]any, depth int) {
	names := slices.AppendSeq(make([]string, 0, len(fields)), maps.Keys(fields))
	slices.Sort(names)
	for _, n := range names {
		switch v := fields[n].(type) {
		case map[string]any:
			if depth < maxNesting {
				b.flatten(of, prefix+n+".", v, depth+1)
			}
		case nil, []any:
		default:
			if of != "" && prefix == "" && n != "step" {
				b.field(of, n, fmt.Sprint(v))
			} else {
				b.put(prefix+n, fmt.Sprint(v))
			}
		}
	}
}

// jsonWhole reads a file that is one JSON value, or several in a row; ok is false when it is none.
func (b *builder) jsonWhole(name string, text []byte) (ok bool, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var values []map[string]any
	for {
		var v map[string]any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || v == nil {
			return false, nil
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return false, nil
	}
	if len(values) > 1 {
		b.begin(part{path: name, table: true}, "tables")
		for i, v := range values {
			b.row(i + 1)
			b.flatten("", "", v, 0)
		}
		return true, nil
	}
	whole := values[0]
	if history, found := whole["log_history"].([]any); found {
		return true, b.trainerState(name, history)
	}
	for _, key := range []string{"runs", "results", "records", "rows", "history", "logs", "data"} {
		list, found := whole[key].([]any)
		if !found || len(list) == 0 {
			continue
		}
		if _, objects := list[0].(map[string]any); !objects {
			continue
		}
		b.warn("%s: the rows are those of its field %s", name, key)
		b.begin(part{path: name, table: true}, "tables")
		for i, item := range list {
			fields, object := item.(map[string]any)
			if !object {
				b.lose(name, i+1, "not a JSON object")
				continue
			}
			b.row(i + 1)
			b.flatten("", "", fields, 0)
		}
		return true, nil
	}
	if b.sacred(name, whole) || b.columnar(name, whole) {
		return true, nil
	}
	run := strings.TrimSuffix(name, path.Ext(name))
	if slices.Contains([]string{
		"all_results", "train_results", "eval_results", "results", "metrics",
		"summary", "wandb-summary",
	}, path.Base(run)) && strings.Contains(name, "/") {
		run = path.Dir(name)
	}
	b.begin(part{path: run}, "results files")
	b.row(1)
	b.flatten("log", "", whole, 0)
	return true, nil
}

// sacred reads the metrics.json of Sacred: for each metric its steps and values, as lists.
func (b *builder) sacred(name string, whole map[string]any) bool {
	all := metrics{}
	for metric, item := range whole {
		lists, _ := item.(map[string]any)
		steps, hasSteps := lists["steps"].([]any)
		values, hasValues := lists["values"].([]any)
		if !hasSteps || !hasValues || len(steps) != len(values) {
			return false
		}
		m := all.of(metric)
		for i := range steps {
			step, err := strconv.ParseInt(fmt.Sprint(steps[i]), 10, 64)
			if err != nil {
				return false
			}
			m.points = append(m.points, point{step, fmt.Sprint(values[i]), b.file, int32(i + 1), 0})
		}
		m.inTime()
	}
	if len(all) == 0 {
		return false
	}
	b.begin(part{path: runOf(name)}, "metrics of Sacred")
	b.metricRows(all, "metrics", func() {})
	return true
}

// columnar reads an object whose fields are columns: lists of one length (Keras and others), objects
// of one set of keys (pandas' default), or columns and data apart (pandas' split).
func (b *builder) columnar(name string, whole map[string]any) bool {
	names := slices.Sorted(maps.Keys(whole))
	if heads, ok := whole["columns"].([]any); ok {
		if data, ok := whole["data"].([]any); ok {
			b.begin(part{path: name, table: true}, "tables")
			for i, item := range data {
				cells, _ := item.([]any)
				if len(cells) != len(heads) {
					b.lose(name, i+1, "%d cells where columns has %d", len(cells), len(heads))
					continue
				}
				b.row(i + 1)
				for j, cell := range cells {
					b.scalar(fmt.Sprint(heads[j]), cell)
				}
			}
			return true
		}
	}
	var keys []string // of the rows; nil for lists
	length := -1
	for i, n := range names {
		switch v := whole[n].(type) {
		case []any:
			if keys != nil || length >= 0 && len(v) != length {
				return false
			}
			length = len(v)
		case map[string]any:
			if length >= 0 || i > 0 && len(v) != len(keys) {
				return false
			}
			if keys == nil {
				for k := range v {
					if _, err := strconv.Atoi(k); err != nil {
						return false
					}
					keys = append(keys, k)
				}
				slices.SortFunc(keys, func(a, c string) int {
					x, _ := strconv.Atoi(a)
					y, _ := strconv.Atoi(c)
					return x - y
				})
			}
			for _, k := range keys {
				if _, has := v[k]; !has {
					return false
				}
			}
		default:
			return false
		}
	}
	if length <= 0 && len(keys) == 0 {
		return false
	}
	b.begin(part{path: name, table: true}, "tables")
	for i := range max(length, len(keys)) {
		b.row(i + 1)
		for _, n := range names {
			if keys != nil {
				b.scalar(n, whole[n].(map[string]any)[keys[i]])
			} else {
				b.scalar(n, whole[n].([]any)[i])
			}
		}
	}
	return true
}

func (b *builder) scalar(heading string, v any) {
	switch v := v.(type) {
	case nil, []any:
	case map[string]any:
		b.flatten("", heading+".", v, 0)
	default:
		b.put(heading, fmt.Sprint(v))
	}
}

func jsonError(name string, text []byte, err error) error {
	line := 0
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line = 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
	}
	return &Error{File: name, Line: line, Problem: "not JSON: " + err.Error()}
}

// python returns JSON in which the tokens NaN, Infinity and -Infinity of Python are texts.
func python(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	out, _ := io.ReadAll(&pythonReader{from: bufio.NewReader(bytes.NewReader(text))})
	return out
}

// pythonReader is python of a stream.
type pythonReader struct {
	from     *bufio.Reader
	quoted   bool
	escaped  bool
	left     []byte
	newlines []int64 // where lines end in what was read, as far as errors may tell
	passed   int64
}

func (r *pythonReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.left) > 0 {
			k := copy(p[n:], r.left)
			r.left, n = r.left[k:], n+k
			continue
		}
		c, err := r.from.ReadByte()
		if err != nil {
			r.passed += int64(n)
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		switch {
		case r.quoted:
			if c == '"' && !r.escaped {
				r.quoted = false
			}
			r.escaped = c == '\\' && !r.escaped
		case c == '"':
			r.quoted = true
		case c == 'N' || c == 'I' || c == '-':
			if r.token(c) {
				continue
			}
		case c == '\n' && len(r.newlines) < 1<<20:
			r.newlines = append(r.newlines, r.passed+int64(n))
		}
		p[n] = c
		n++
	}
	r.passed += int64(n)
	return n, nil
}

// token takes one of the tokens whose first byte was read.
func (r *pythonReader) token(first byte) bool {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if word[0] != first {
			continue
		}
		if rest, err := r.from.Peek(len(word) - 1); err == nil && string(rest) == word[1:] {
			_, _ = r.from.Discard(len(rest))
			r.left = []byte(`"` + word + `"`)
			return true
		}
	}
	return false
}

func (r *pythonReader) error(name string, err error) error {
	e := &Error{File: name, Problem: "not JSON: " + err.Error()}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		i, _ := slices.BinarySearch(r.newlines, syntax.Offset)
		e.Line = i + 1
	} else if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Line, e.Problem = len(r.newlines)+1, "the file ends inside a JSON value"
	}
	return e
}
