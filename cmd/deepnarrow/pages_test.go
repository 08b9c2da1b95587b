package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// TestGeneratedPages: the pages that a command writes, whole or between the marks "<!-- deepnarrow
// ... -->" and "<!-- end -->", are what it writes now.
//
// `go test ./cmd/deepnarrow -run GeneratedPages -update` rewrites them.
func TestGeneratedPages(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: makes the generated pages anew")
	}
	for _, p := range []struct{ page, command string }{
		{"RECOMMENDATIONS.md", "tables --format markdown"},
		{"VALIDATION.md", "validate --format markdown --details"},
		{"evidence.md", "list evidence --format markdown --details"},
	} {
		t.Run(p.page, func(t *testing.T) {
			file := filepath.Join(root, "docs", p.page)
			text, err := os.ReadFile(file)
			if err != nil && !*update {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := cli.Run(context.Background(), strings.Fields(p.command), frame.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: func(string) string { return "" }})
			if code != 0 {
				t.Fatalf("exit %d: %s", code, stderr.String())
			}
			fresh := stdout.String()
			start, end := "<!-- deepnarrow "+p.command+" -->\n", "<!-- end -->"
			if before, rest, marked := strings.Cut(string(text), start); marked {
				_, after, ended := strings.Cut(rest, end)
				if !ended {
					t.Fatalf("%s has no %s", p.page, end)
				}
				fresh = before + start + "\n" + fresh + "\n" + end + after
			}
			switch {
			case fresh == string(text):
			case *update:
				if err := os.WriteFile(file, []byte(fresh), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s is not what deepnarrow %s writes, from %q on; rewrite it with -update",
					p.page, p.command, firstDifference(string(text), fresh))
			}
		})
	}
}

// firstDifference returns the first line of a that b has otherwise.
func firstDifference(a, b string) string {
	theirs := strings.Split(b, "\n")
	for n, line := range strings.Split(a, "\n") {
		if n >= len(theirs) || line != theirs[n] {
			return line
		}
	}
	return ""
}
