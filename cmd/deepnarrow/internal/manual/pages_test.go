package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
)

var update = flag.Bool("update", false, "rewrite docs/commands")

const folder = "../../../../docs/commands"

// TestPagesAreFresh compares docs/commands with the flags as they are.
func TestPagesAreFresh(t *testing.T) {
	root := cli.Command()
	want := pages(root)
	if *update {
		if err := writePages(root, folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want[name] {
			t.Errorf(
				"docs/commands/%s is stale: go test ./cmd/deepnarrow/internal/manual -update (%v)",
				name, err)
		}
	}
	there, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range there {
		if _, ok := want[filepath.Base(name)]; !ok {
			t.Errorf("docs/commands/%s is of no command", filepath.Base(name))
		}
	}
}

// TestReleaseFiles writes man pages and completions: one man page a command, four shells, equal
// bytes twice.
func TestReleaseFiles(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, to := range []string{first, second} {
		if err := writeMan(cli.Command(), to); err != nil {
			t.Fatal(err)
		}
		if err := writeCompletions(cli.Command(), to); err != nil {
			t.Fatal(err)
		}
	}
	names, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	men := 0
	for _, e := range names {
		a, errA := os.ReadFile(filepath.Join(first, e.Name()))
		b, errB := os.ReadFile(filepath.Join(second, e.Name()))
		if errA != nil || errB != nil || string(a) != string(b) || len(a) == 0 {
			t.Errorf("%s differs between two runs, or is empty", e.Name())
		}
		if strings.HasSuffix(e.Name(), ".1") {
			men++
		}
	}
	if want := len(pages(cli.Command())); men < want {
		t.Errorf("%d man pages; want one a command and one of the program, %d", men, want)
	}
	if got := len(names) - men; got != 4 {
		t.Errorf("%d completions; want bash, zsh, fish and powershell", got)
	}
}
