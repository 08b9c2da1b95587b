package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// inFolder runs a command line in this process with a folder as the working directory.
func inFolder(t *testing.T, folder string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(folder)
	var out, err bytes.Buffer
	code = cli.Run(context.Background(), args, frame.Streams{In: strings.NewReader(""), Out: &out, Err: &err, Env: func(string) string { return "" }})
	return code, out.String(), err.String()
}

// review returns a repository that holds the reviewed files, so that the paths in outputs do not
// depend on where the project itself lies.
func review(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "review"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestReviewedConfigurations checks five good, five bad and five broken files in every format. The
// golden files were read through once: every finding in them was meant when the files were written
// (see the names of the files).
func TestReviewedConfigurations(t *testing.T) {
	for _, c := range []struct {
		folder string
		code   int
	}{{"good", 0}, {"bad", 1}, {"broken", 3}} {
		for _, format := range []string{
			"table", "json", "junit", "sarif", "github", "summary",
			"comment",
		} {
			t.Run(c.folder+"/"+format, func(t *testing.T) {
				golden, err := filepath.Abs(filepath.Join("testdata", "review", "golden",
					c.folder+"."+format))
				if err != nil {
					t.Fatal(err)
				}
				code, got, stderr := inFolder(t, review(t),
					"check", c.folder+"/**", "--rules", "rules.yaml", "--today", "2026-06-30",
					"--format", format)
				if code != c.code {
					t.Errorf("exit %d, want %d\n%s", code, c.code, stderr)
				}
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf(
						"differs from %s (go test ./cmd/deepnarrow -run Reviewed -update rewrites it):\n%s", golden, diff)
				}
			})
		}
	}
}

// TestSeveralOutputs: one run writes any number of files beside its result, and they are the same
// as one by one.
func TestSeveralOutputs(t *testing.T) {
	folder := t.TempDir()
	sarif, junit := filepath.Join(folder, "a.sarif"), filepath.Join(folder, "b.xml")
	_, _, stderr := inFolder(t, review(t), "check", "bad/*", "--rules",
		"rules.yaml", "--today", "2026-06-30", "--emit", "sarif="+sarif, "--emit", "junit="+junit)
	for file, golden := range map[string]string{
		sarif: "golden/bad.sarif",
		junit: "golden/bad.junit",
	} {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s is not %s", file, golden)
		}
	}
}

// TestHugeConfiguration: a file of 100 MB is refused by its size, wherever a command reads one.
func TestHugeConfiguration(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config.json")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"model_type": "t5", "x": "`); err != nil {
		t.Fatal(err)
	}
	const size = 100 << 20
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", name},
		{"check", "t5-base", "--rules", name},
		{"diff", name, "t5-base"},
		{"report", name},
	} {
		code, stdout, stderr := inFolder(t, ".", args...)
		if code != 3 || !strings.Contains(stdout+stderr, "is too large") {
			t.Errorf("%s: exit %d: %s%s", args[0], code, stdout, stderr)
		}
	}
}
