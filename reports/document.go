package reports

import (
	"bytes"
	"encoding/json"
	"io"
)

// Document is the machine-readable form of a result and the input of other commands. Numbers are in
// base units, the unit is in the field name.
type Document struct {
	Schema      string         `json:"schema"` // deepnarrow/<command>/v1
	Tool        Tool           `json:"tool"`
	Inputs      map[string]any `json:"inputs"`
	Conventions map[string]any `json:"conventions"`
	Results     []any          `json:"results"`
	Related     []any          `json:"related,omitempty"` // what stands beside the results and is not one of them
	Warnings    []string       `json:"warnings"`
}

// Tool says which program wrote a document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// NewDocument returns an empty document of a command.
func NewDocument(command, version string) Document {
	return Document{
		Schema:      "deepnarrow/" + command + "/v1",
		Tool:        Tool{Name: "deepnarrow", Version: version},
		Inputs:      map[string]any{},
		Conventions: map[string]any{},
		Results:     []any{},
		Warnings:    []string{},
	}
}

// writeJSON writes the document, indented, with a final newline. Equal documents give equal bytes.
// NaN and infinities are an error: whoever builds a result decides what is absent.
func (d *Document) writeJSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
