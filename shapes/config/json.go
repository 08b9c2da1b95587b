package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a JSON document. Real configurations nest four deep; a label table of 21,843 classes
// has two entries for each.
const (
	maxDepth = 64
	maxNodes = 1 << 18
)

// jsonReader walks JSON token by token and knows where each one stands, which encoding/json alone
// does not tell.
type jsonReader struct {
	text    *text
	decoder *json.Decoder
	nodes   int // values still allowed
}

func newJSONReader(t *text) *jsonReader {
	d := json.NewDecoder(bytes.NewReader(t.bytes))
	d.UseNumber()
	return &jsonReader{text: t, decoder: d, nodes: maxNodes}
}

// parseJSON returns the object a file consists of.
func parseJSON(t *text) (*node, error) {
	r := newJSONReader(t)
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if n.kind != object {
		return nil, t.fail(r.start(0), "is not a JSON object", n.show(),
			"a file that starts with {")
	}
	return n, r.end()
}

// start returns the offset of the first token after an offset.
func (r *jsonReader) start(offset int) int {
	rest := r.text.bytes[offset:]
	return offset + len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
}

// next returns the next token and its place.
func (r *jsonReader) next() (json.Token, Position, error) {
	at := r.start(int(r.decoder.InputOffset()))
	token, err := r.decoder.Token()
	if err != nil {
		return nil, Position{}, r.syntax(err)
	}
	return token, r.text.at(at), nil
}

// syntax turns a decoder's error into one with a place.
func (r *jsonReader) syntax(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at := max(0, int(syntax.Offset)-1)
		if strings.Contains(syntax.Error(), "unexpected end") {
			at = len(r.text.bytes)
		}
		return r.text.fail(at, "is not valid JSON", syntax.Error(), "")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return r.text.fail(len(r.text.bytes), "ends in the middle of the JSON object", "",
			"a complete file")
	}
	return r.text.fail(int(r.decoder.InputOffset()), "is not valid JSON", err.Error(), "")
}

// value reads the next value with everything in it.
func (r *jsonReader) value(depth int) (*node, error) {
	token, at, err := r.next()
	if err != nil {
		return nil, err
	}
	return r.rest(token, at, depth)
}

// rest reads the value whose first token is given.
func (r *jsonReader) rest(token json.Token, at Position, depth int) (*node, error) {
	if r.nodes--; r.nodes < 0 {
		return nil, &Error{Faults: []Fault{{
			Position: at, Problem: "holds too many values",
			Allowed: fmt.Sprintf("at most %d", maxNodes),
		}}}
	}
	if depth > maxDepth {
		return nil, &Error{Faults: []Fault{{
			Position: at, Problem: "is nested too deep",
			Allowed: fmt.Sprintf("at most %d levels", maxDepth),
		}}}
	}
	n := &node{at: at}
	switch v := token.(type) {
	case nil:
		n.kind, n.text = null, "null"
	case bool:
		n.kind, n.text = boolean, fmt.Sprint(v)
	case json.Number:
		n.kind, n.text = number, v.String()
	case string:
		n.kind, n.text = word, v
	case json.Delim:
		n.kind = list
		if v == '{' {
			n.kind = object
		}
		return n, r.inside(n, depth)
	}
	return n, nil
}

// inside reads the members of a list or object up to its closing bracket.
func (r *jsonReader) inside(n *node, depth int) error {
	for r.decoder.More() {
		token, at, err := r.next()
		if err != nil {
			return err
		}
		if n.kind == list {
			item, err := r.rest(token, at, depth+1)
			if err != nil {
				return err
			}
			n.items = append(n.items, item)
			continue
		}
		key, ok := token.(string)
		if !ok {
			return &Error{Faults: []Fault{{
				Position: at, Problem: "is not a key",
				Value: fmt.Sprint(token), Allowed: "text in quotes",
			}}}
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{name: key, at: at, value: value})
	}
	_, _, err := r.next() // the closing bracket
	return err
}

// end checks that nothing follows the value.
func (r *jsonReader) end() error {
	_, at, err := r.next()
	if err == nil {
		return &Error{Faults: []Fault{{
			Position: at,
			Problem:  "has text after the closing bracket",
		}}}
	}
	if _, e := r.decoder.Token(); errors.Is(e, io.EOF) {
		return nil
	}
	return err
}
