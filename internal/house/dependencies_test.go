package house

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDependenciesAreExplained: each direct dependency of go.mod has a row in docs/dependencies.md,
// and each row a dependency.
func TestDependenciesAreExplained(t *testing.T) {
	required := names(t, "../../go.mod", `(?m)^\t(\S+) v\S+$`)
	explained := names(t, "../../docs/dependencies.md", "(?m)^\\| `([^`]+)` \\|")
	for _, module := range required {
		if !slices.Contains(explained, module) {
			t.Errorf("%s has no row in docs/dependencies.md", module)
		}
	}
	for _, module := range explained {
		if !slices.Contains(required, module) {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly",
				module)
		}
	}
}

func names(t *testing.T, file, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s: nothing matches %s", file, pattern)
	}
	return out
}
