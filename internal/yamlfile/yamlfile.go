// Package yamlfile parses YAML that may be hostile. The parser's time and memory grow with the square
// of length and depth (16 kB of open brackets take 0.4 GB), so the tokens are bounded before it runs.
// Anchors and aliases are not expanded: readers refuse them where they find them.
package yamlfile

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// MaxDepth is some ten times the nesting of a real file.
	MaxDepth = 64
	// MaxTokens is some twenty times what the longest real file needs.
	MaxTokens = 1 << 13
)

// LimitError says which limit a text exceeds.
type LimitError struct {
	At      *token.Token // nil for the text as a whole
	Problem string
	Allowed string
}

func (e *LimitError) Error() string { return e.Problem + "; allowed: " + e.Allowed }

// Called says whether a file is called as one of YAML is.
func Called(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// Parse returns the documents of a text. Errors are a [*LimitError] or the parser's own; a panic of
// the parser is an error too.
func Parse(text []byte, options ...parser.Option) (file *ast.File, err error) {
	defer func() {
		// The parser is not ours; a defect of its own must not take the program down.
		if p := recover(); p != nil {
			file, err = nil, fmt.Errorf("%v", p)
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if err := bounded(tokens); err != nil {
		return nil, err
	}
	return parser.Parse(tokens, 0, options...)
}

// bounded refuses many tokens, many open brackets, and many dashes or question marks in one line.
func bounded(tokens token.Tokens) error {
	if len(tokens) > MaxTokens {
		return &LimitError{Problem: "holds too many values", Allowed: "a page of text"}
	}
	open, line, entries := 0, 0, 0
	for _, tk := range tokens {
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			if tk.Position.Line != line {
				line, entries = tk.Position.Line, 0
			}
			entries++
		}
		if open > MaxDepth || entries > MaxDepth {
			return &LimitError{tk, "is nested too deep", fmt.Sprintf("at most %d levels", MaxDepth)}
		}
	}
	return nil
}
