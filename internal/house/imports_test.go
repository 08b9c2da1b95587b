package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/deepnarrow/deepnarrow"

// allowed lists, for every package of the module, which of ours it may import directly outside
// tests. A pattern ending in /... covers a subtree. Imports point one way: a package only names
// packages that stand before it.
var allowed = []struct {
	pkg     string
	imports []string
}{
	{"internal/suggest", nil},
	{"internal/quantity", []string{"internal/suggest"}},
	{"internal/house", nil},
	{"internal/parallel", nil},
	{"data", []string{"internal/quantity", "internal/suggest"}},
	{"shapes", []string{"internal/quantity", "internal/suggest", "data"}},
	{"shapes/config", []string{"internal/quantity", "internal/suggest", "shapes"}},
	{"flops", []string{"internal/quantity", "data", "shapes"}},
	{"data/records", []string{"internal/quantity", "internal/suggest", "data", "shapes", "flops"}},
	{"hardware", []string{"internal/quantity", "internal/suggest", "data", "shapes", "flops"}},
	{"hardware/kernel/isa", nil},
	{"hardware/kernel/pool", nil},
	{"hardware/kernel/probe", []string{"hardware/kernel/isa", "hardware/kernel/pool"}},
	{"hardware/kernel/gemm", []string{"hardware/kernel/isa", "hardware/kernel/pool"}},
	{"hardware/kernel/gemm/internal/cases", []string{"hardware/kernel/gemm"}},
	{"hardware/kernel/vec", []string{"hardware/kernel/isa", "hardware/kernel/pool"}},
	{"hardware/kernel/sweep", []string{
		"shapes", "shapes/config", "hardware/kernel",
		"hardware/kernel/...",
	}},
	{"hardware/kernel", []string{"shapes", "shapes/config", "hardware/kernel/..."}},
	{"fit", []string{"internal/quantity"}},
	{"hardware/calibrate", []string{
		"internal/quantity", "internal/suggest", "internal/parallel",
		"data", "data/records", "shapes", "flops", "hardware", "hardware/kernel",
		"hardware/kernel/...", "fit",
	}},
	{"shapes/recommend", []string{
		"internal/quantity", "internal/suggest", "internal/parallel",
		"data", "data/records", "shapes", "flops", "fit", "hardware", "hardware/calibrate",
	}},
	{"reports/compare", []string{
		"internal/quantity", "data", "data/records", "shapes",
		"shapes/config", "flops", "fit", "hardware", "hardware/calibrate", "shapes/recommend",
	}},
	{"reports/markdown", nil},
	{"reports/page", []string{"internal/quantity", "reports/figure", "reports/markdown"}},
	{"reports/check", []string{
		"internal/quantity", "internal/suggest", "internal/parallel", "data",
		"shapes", "shapes/config", "flops", "fit", "hardware", "hardware/calibrate",
		"shapes/recommend", "reports", "reports/compare", "reports/markdown",
	}},
	{"reports", []string{
		"internal/quantity", "hardware/kernel", "data", "data/records", "shapes",
		"flops", "fit", "hardware", "hardware/calibrate", "shapes/recommend", "reports/compare",
	}},
	{"reports/figure", nil},
	{"reports/explore/engine", []string{
		"internal/quantity", "shapes", "flops", "hardware",
		"shapes/recommend",
	}},
	{"reports/explore", nil},
	{"cmd/deepnarrow/internal/cli", []string{"..."}},
	{"cmd/deepnarrow/internal/manual", []string{"cmd/deepnarrow/internal/cli"}},
	{"cmd/explorer", []string{"reports/explore/engine"}},
	{"cmd/deepnarrow", []string{"cmd/deepnarrow/internal/cli"}},
}

// TestImportsPointOneWay reads the direct, non-test imports from go list.
func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		rule := slices.IndexFunc(allowed, func(r struct {
			pkg     string
			imports []string
		},
		) bool {
			return r.pkg == name
		})
		if rule < 0 {
			t.Errorf("package %s has no place in the house: add it to the table of this test", name)
			continue
		}
		for _, imported := range p.Imports {
			ours, inside := strings.CutPrefix(imported, module+"/")
			if inside && !slices.ContainsFunc(allowed[rule].imports, func(pattern string) bool { return covers(pattern, ours) }) {
				t.Errorf("%s imports %s, which it may not", name, ours)
			}
		}
	}
}

// TestLibrariesKeepQuiet: only the command line prints, exits or reads the environment.
func TestLibrariesKeepQuiet(t *testing.T) {
	for _, p := range list(t) {
		if strings.HasPrefix(p.ImportPath, module+"/cmd/") {
			continue
		}
		for _, banned := range []string{"os/exec", "log", "flag", "net", "net/http"} {
			if slices.Contains(p.Imports, banned) {
				t.Errorf("library %s imports %s", path.Base(p.ImportPath), banned)
			}
		}
	}
}

func covers(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(pkg, tree)
	}
	return pattern == pkg
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
