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

// floors lists the folders of the module from the ground up. A package imports, outside tests, only
// packages that stand before it here; a name ending in /... is a whole tree, in which packages may
// import each other.
var floors = []string{
	"internal/...",
	"data",
	"shapes",
	"shapes/config/syntax",
	"shapes/config/tensors",
	"shapes/config",
	"flops",
	"fit",
	"fit/records/parquet",
	"fit/records",
	"fit/learn",
	"hardware",
	"hardware/measured",
	"hardware/kernel/...",
	"hardware/calibrate",
	"reports/markdown",
	"reports/figure",
	"reports/plan",
	"reports/recommend/evidence",
	"reports/recommend",
	"reports/result",
	"reports/track",
	"reports/compare",
	"reports",
	"reports/check",
	"reports/page",
	"reports/explore",
	"reports/explore/engine",
	"cmd/deepnarrow/internal/host",
	"cmd/deepnarrow/internal/frame",
	"cmd/deepnarrow/internal/asks",
	"cmd/deepnarrow/internal/cli",
	"cmd/deepnarrow/internal/manual",
	"cmd/explorer",
	"cmd/deepnarrow",
}

// only lists the packages that may import less than the floors below them.
var only = map[string][]string{
	// Laws know numbers and nothing of models.
	"fit": {"internal/..."},
	// The kernel must not know the analytical model that it is used to judge.
	"hardware/kernel/...": {"shapes", "shapes/config/tensors"},
	"reports/markdown":    {"internal/..."},
}

// TestImportsPointDown reads the direct, non-test imports from go list.
func TestImportsPointDown(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		own := floor(name)
		if own < 0 {
			t.Errorf("package %s has no place in the house: add it to the floors of this test", name)
			continue
		}
		for _, imported := range p.Imports {
			ours, inside := strings.CutPrefix(imported, module+"/")
			if !inside || strings.HasSuffix(floors[own], "...") && floor(ours) == own {
				continue
			}
			if floor(ours) >= own {
				t.Errorf("%s imports %s, which stands above it", name, ours)
			}
			less, restricted := only[floors[own]]
			if restricted && !slices.ContainsFunc(less, func(f string) bool { return covers(f, ours) }) {
				t.Errorf("%s imports %s; allowed: %v", name, ours, less)
			}
		}
	}
}

// floor returns the index of a package in the list, -1 for a package without a place.
func floor(pkg string) int {
	return slices.IndexFunc(floors, func(f string) bool { return covers(f, pkg) })
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
		return strings.HasPrefix(pkg+"/", tree)
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
