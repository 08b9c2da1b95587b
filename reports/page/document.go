package page

import (
	"encoding/json"
	"fmt"

	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Source is one result file.
type Source struct {
	Name string
	Text []byte
}

// decode reads a source; the error says what is wrong with it.
func decode(s Source) (*result.Saved, error) {
	var d result.Saved
	if err := json.Unmarshal(s.Text, &d); err != nil {
		return nil, fmt.Errorf("%s: is not a result: no JSON document", s.Name)
	}
	if d.Command() == "" {
		return nil, fmt.Errorf(
			"%s: is not a result: schema is %.80q; allowed: what a command writes with --format json", s.Name, d.Schema)
	}
	return &d, nil
}

// each reads every result into a T.
func each[T any](results []json.RawMessage, do func(i int, r *T)) error {
	for i, raw := range results {
		r := new(T)
		if err := json.Unmarshal(raw, r); err != nil {
			return err
		}
		do(i, r)
	}
	return nil
}
