package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestComparisonsSeeNaN finds comparisons in tests that something which is not a number passes:
// math.Abs(got-want) > tolerance is false for it. Package approx is for them.
func TestComparisonsSeeNaN(t *testing.T) {
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		distances := map[string]bool{} // variables that hold a distance
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, value := range n.Rhs {
					if name, ok := n.Lhs[i].(*ast.Ident); ok {
						distances[name.Name] = distance(value)
					}
				}
			case *ast.BinaryExpr:
				name, ok := n.X.(*ast.Ident)
				if n.Op == token.GTR && (distance(n.X) || ok && distances[name.Name]) {
					t.Errorf("%s: a comparison that NaN passes; approx.Close or approx.Relative sees it",
						strings.TrimPrefix(files.Position(n.Pos()).String(), root+"/"))
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

// distance reports whether an expression is math.Abs of a difference.
func distance(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	of, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Abs" {
		return false
	}
	pkg, ok := of.X.(*ast.Ident)
	if !ok || pkg.Name != "math" {
		return false
	}
	difference, ok := call.Args[0].(*ast.BinaryExpr)
	return ok && difference.Op == token.SUB
}
