package syntax

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
	MaxDepth = 64
	MaxNodes = 1 << 18
)

// JSONReader walks JSON token by token and knows where each one stands, which encoding/json alone
// does not tell.
type JSONReader struct {
	Text    *Text
	Decoder *json.Decoder
	Nodes   int // values still allowed
}

func NewJSONReader(t *Text) *JSONReader {
	d := json.NewDecoder(bytes.NewReader(t.Bytes))
	d.UseNumber()
	return &JSONReader{Text: t, Decoder: d, Nodes: MaxNodes}
}

// ParseJSON returns the object a file consists of.
func ParseJSON(t *Text) (*Node, error) {
	r := NewJSONReader(t)
	n, err := r.Value(0)
	if err != nil {
		return nil, err
	}
	if n.Kind != Object {
		return nil, t.fail(r.start(0), "is not a JSON object", n.Show(),
			"a file that starts with {")
	}
	return n, r.End()
}

// start returns the offset of the first token after an offset.
func (r *JSONReader) start(offset int) int {
	rest := r.Text.Bytes[offset:]
	return offset + len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
}

// Next returns the next token and its place.
func (r *JSONReader) Next() (json.Token, Position, error) {
	at := r.start(int(r.Decoder.InputOffset()))
	token, err := r.Decoder.Token()
	if err != nil {
		return nil, Position{}, r.syntax(err)
	}
	return token, r.Text.at(at), nil
}

// syntax turns a decoder's error into one with a place.
func (r *JSONReader) syntax(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at := max(0, int(syntax.Offset)-1)
		if strings.Contains(syntax.Error(), "unexpected end") {
			at = len(r.Text.Bytes)
		}
		return r.Text.fail(at, "is not valid JSON", syntax.Error(), "")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return r.Text.fail(len(r.Text.Bytes), "ends in the middle of the JSON object", "",
			"a complete file")
	}
	return r.Text.fail(int(r.Decoder.InputOffset()), "is not valid JSON", err.Error(), "")
}

// Value reads the next value with everything in it.
func (r *JSONReader) Value(depth int) (*Node, error) {
	token, at, err := r.Next()
	if err != nil {
		return nil, err
	}
	return r.rest(token, at, depth)
}

// rest reads the value whose first token is given.
func (r *JSONReader) rest(token json.Token, at Position, depth int) (*Node, error) {
	if r.Nodes--; r.Nodes < 0 {
		return nil, at.Fail("holds too many values", "", fmt.Sprintf("at most %d", MaxNodes))
	}
	if depth > MaxDepth {
		return nil, at.Fail("is nested too deep", "", fmt.Sprintf("at most %d levels", MaxDepth))
	}
	n := &Node{At: at}
	switch v := token.(type) {
	case nil:
		n.Kind, n.Text = Null, "null"
	case bool:
		n.Kind, n.Text = Boolean, fmt.Sprint(v)
	case json.Number:
		n.Kind, n.Text = Number, v.String()
	case string:
		n.Kind, n.Text = Word, v
	case json.Delim:
		n.Kind = List
		if v == '{' {
			n.Kind = Object
		}
		return n, r.inside(n, depth)
	}
	return n, nil
}

// inside reads the members of a list or object up to its closing bracket.
func (r *JSONReader) inside(n *Node, depth int) error {
	for r.Decoder.More() {
		token, at, err := r.Next()
		if err != nil {
			return err
		}
		if n.Kind == List {
			item, err := r.rest(token, at, depth+1)
			if err != nil {
				return err
			}
			n.Items = append(n.Items, item)
			continue
		}
		key, ok := token.(string)
		if !ok {
			return at.Fail("is not a key", fmt.Sprint(token), "text in quotes")
		}
		value, err := r.Value(depth + 1)
		if err != nil {
			return err
		}
		n.Fields = append(n.Fields, Field{Name: key, At: at, Value: value})
	}
	_, _, err := r.Next() // the closing bracket
	return err
}

// End checks that nothing follows the value.
func (r *JSONReader) End() error {
	_, at, err := r.Next()
	if err == nil {
		return at.Fail("has text after the closing bracket", "", "")
	}
	if _, e := r.Decoder.Token(); errors.Is(e, io.EOF) {
		return nil
	}
	return err
}
