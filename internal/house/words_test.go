package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// glossary is one wording for each idea that users read. Errors say "what is wrong: value; allowed: …",
// or "; needed: …" where there is too little of something.
var glossary = []struct {
	avoid *regexp.Regexp
	write string
}{
	{regexp.MustCompile(`; want |; one of | (is|are) wanted|; expected |must be one of`), "; allowed: …"},
	{regexp.MustCompile(`(?i)at least [^ ]+ are needed`), "; needed: at least …"},
	{regexp.MustCompile(`(?i)what binds|bound by\b`), "bottleneck"},
	{regexp.MustCompile(`(?i)what this rests on|what the quality rests on`), "assumptions and sources"},
	{regexp.MustCompile(`(?i)device that needs most`), "peak memory per device"},
	{regexp.MustCompile(`(?i)dearer|whoever|\bof ours\b|in the place of|(^|[^e] )(is|are) no [a-z]|\bso many\b|steps over goodput`), "plain English"},
	{regexp.MustCompile(`(?i)rate of large products|kernel by kernel|fixed cost of a step`), "the field's terms"},
	{regexp.MustCompile(`strconv\.|invalid argument`), "what a user typed"},
}

// TestWording: no text of the program words an idea otherwise than the glossary does.
func TestWording(t *testing.T) {
	const root = "../.."
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			strings.Contains(name, "/gen/") {
			return err
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, imports := n.(*ast.ImportSpec); imports {
				return false
			}
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			for _, g := range glossary {
				if bad := g.avoid.FindString(text); err == nil && bad != "" {
					t.Errorf("%s: %q; allowed: %s", files.Position(n.Pos()), bad, g.write)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
