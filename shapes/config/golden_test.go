package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with testdata/NAME.golden, which was read line by line by a person when it was
// written.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestBadFiles(t *testing.T) {
	files, err := os.ReadDir("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range files {
		_, err := readTestFile(t, "bad/"+f.Name())
		if err == nil {
			t.Errorf("%s was accepted", f.Name())
			continue
		}
		if _, ok := err.(*syntax.Error); !ok {
			t.Errorf("%s: error of type %T", f.Name(), err)
		}
		fmt.Fprintf(&out, "%v\n\n", err)
	}
	golden(t, "bad", out.String())
}

func TestLintFiles(t *testing.T) {
	files, err := os.ReadDir("testdata/lint")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range files {
		r, err := readTestFile(t, "lint/"+f.Name())
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		for _, w := range r.Warnings {
			fmt.Fprintf(&out, "%v\n", w)
		}
		for _, u := range r.Unknown {
			fmt.Fprintf(&out, "%v: unknown field %s\n", u.Position, u.Name)
		}
		out.WriteString("\n")
	}
	golden(t, "lint", out.String())
}
