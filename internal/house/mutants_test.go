package house

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The mutation run draws from the list that gremlins makes, which runs a list only as a whole:
//
//	go tool -modfile=tools.mod gremlins unleash --dry-run -o mutants.json ./hardware
//	go test ./internal/house -run Mutants -timeout 3h -mutants mutants.json -mutants-of hardware -mutants-in 'step|money'
//
// Each mutant drawn is laid over its file, and the quick tests of its package are run.
var (
	mutantList = flag.String("mutants", "", "a list that gremlins made")
	mutantsOf  = flag.String("mutants-of", "", "the package that the list is of")
	mutantsIn  = flag.String("mutants-in", "", "only files whose names match")
	mutants    = flag.Int("mutants-sample", 100, "how many mutants are drawn")
	mutantSeed = flag.Uint64("mutants-seed", 20261128, "seed of the draw")
)

// replacements are those of gremlins, by kind of mutant and token.
var replacements = map[string]map[string]string{
	"CONDITIONALS_NEGATION": {
		"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">",
	},
	"CONDITIONALS_BOUNDARY": {">": ">=", ">=": ">", "<": "<=", "<=": "<"},
	"ARITHMETIC_BASE":       {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*"},
	"INCREMENT_DECREMENT":   {"++": "--", "--": "++"},
	"INVERT_NEGATIVES":      {"-": "+"},
}

type mutant struct {
	Type, Status string
	Line, Column int
	file         string // from the root of the module
}

// TestMutants is a measurement and asserts nothing: it prints every mutant that the tests let live,
// and the score, killed ÷ (killed + lived).
func TestMutants(t *testing.T) {
	if *mutantList == "" {
		t.Skip("a measurement of an hour, made where -mutants names a list")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	all := mutantsListed(t)
	draw := rand.New(rand.NewPCG(*mutantSeed, 0))
	draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	killed, lived := 0, 0
	for _, m := range all {
		if killed+lived == *mutants {
			break
		}
		switch what := m.outcome(t, root); what {
		case "killed":
			killed++
			if testing.Verbose() {
				fmt.Printf("%d of %d\n", killed, killed+lived)
			}
		case "lived":
			lived++
			fmt.Printf("lived: %s:%d:%d %s (%s)\n", m.file, m.Line, m.Column, m.Type, m.Status)
		}
	}
	fmt.Printf("%s: %d of %d mutants killed, %.0f %%\n", *mutantsOf, killed, killed+lived,
		100*float64(killed)/float64(killed+lived))
}

// mutantsListed reads the list in an order that does not depend on how it was made.
func mutantsListed(t *testing.T) []mutant {
	t.Helper()
	text, err := os.ReadFile(*mutantList)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Files []struct {
			Name      string   `json:"file_name"`
			Mutations []mutant `json:"mutations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(*mutantsIn)
	var all []mutant
	for _, f := range list.Files {
		if strings.Contains(f.Name, "/") || !named.MatchString(f.Name) {
			continue // of another package
		}
		for _, m := range f.Mutations {
			m.file = filepath.Join(*mutantsOf, f.Name)
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b mutant) int {
		return strings.Compare(fmt.Sprintf("%s %6d %6d %s", a.file, a.Line, a.Column, a.Type),
			fmt.Sprintf("%s %6d %6d %s", b.file, b.Line, b.Column, b.Type))
	})
	return all
}

// outcome runs the quick tests with the mutant: "killed", "lived", or "not viable" where it does not
// compile.
func (m *mutant) outcome(t *testing.T, root string) string {
	t.Helper()
	path := filepath.Join(root, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(source), "\n")
	before, rest := lines[m.Line-1][:m.Column-1], lines[m.Line-1][m.Column-1:]
	done := false
	for _, size := range [...]int{2, 1} {
		if by, ok := replacements[m.Type][rest[:size]]; ok && !done {
			lines[m.Line-1], done = before+by+rest[size:], true
		}
	}
	if !done {
		t.Fatalf("%s:%d:%d: no token of %s: %q; the list is of another state of the file", m.file,
			m.Line, m.Column, m.Type, rest)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	layers, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		changed: strings.Join(lines, ""), overlay: string(layers),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-short", "-vet=off", "-failfast", "-timeout", "3m", "-overlay",
		overlay, "./"+filepath.ToSlash(filepath.Dir(m.file)))
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return "lived"
	case strings.Contains(string(out), "[build failed]"):
		return "not viable"
	}
	return "killed"
}
