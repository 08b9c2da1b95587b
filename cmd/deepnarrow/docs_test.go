package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

var update = flag.Bool("update", false, "rewrite the output shown in README and docs")

const root = "../.."

// TestDocumentedCommands runs every deepnarrow command in the console blocks of README and docs and
// compares what they show with what comes out. A command line starts with "$ deepnarrow" or "$ go
// run ./cmd/deepnarrow"; what follows up to the next command is its standard output, and no output
// shown means that it must only succeed. Commands that measure this machine are not run. The
// examples of docs/commands are run by [TestExamples].
//
// `go test ./cmd/deepnarrow -run Documented -update` rewrites the outputs.
func TestDocumentedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs every command of the documentation")
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	ran := 0
	for _, page := range append([]string{filepath.Join(root, "README.md")}, pages...) {
		page, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		fresh := rewrite(string(text), func(command, shown string) string {
			args, ours := commandLine(command)
			if !ours || len(args) > 0 && strings.Contains(measuring, " "+args[0]+" ") {
				return shown
			}
			ran++
			var stdout, stderr bytes.Buffer
			code := cli.Run(context.Background(), args, frame.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Width: 100, Env: func(string) string { return "" }})
			// check and diff --exit-code may find something; that is an answer.
			if code > 1 {
				t.Errorf("%s: %s: exit %d\n%s", page, command, code, stderr.String())
			}
			got := strings.TrimRight(stdout.String(), "\n")
			if cut, elided := strings.CutSuffix(shown, "\n"+elision); elided {
				got = firstLines(got, 1+strings.Count(cut, "\n")) + "\n" + elision
			}
			if shown != "" && shown != got && !*update {
				t.Errorf("%s: %s\nshows\n%s\nbut prints\n%s", page, command, shown, got)
			}
			if shown == "" {
				return ""
			}
			return got
		})
		if *update && fresh != string(text) {
			if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Chdir(home)
	if ran == 0 {
		t.Error("no documented command was found")
	}
}

// elision as the last line says that the output goes on.
const elision = "…"

func firstLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// rewrite replaces the output below each command of each console block.
func rewrite(text string, output func(command, shown string) string) string {
	var out strings.Builder
	lines := strings.Split(text, "\n")
	inside := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		out.WriteString(line)
		if i < len(lines)-1 {
			out.WriteByte('\n')
		}
		switch {
		case strings.HasPrefix(line, "```console"):
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside && strings.HasPrefix(line, "$ "):
			var shown []string
			for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "$ ") &&
				!strings.HasPrefix(lines[i+1], "```") {
				i++
				shown = append(shown, lines[i])
			}
			body := strings.Join(shown, "\n")
			trimmed := strings.TrimRight(body, "\n")
			if fresh := output(strings.TrimPrefix(line, "$ "), trimmed); fresh != "" {
				out.WriteString(fresh + body[len(trimmed):] + "\n")
			} else if len(shown) > 0 {
				out.WriteString(body + "\n")
			}
		}
	}
	return out.String()
}

// commandLine splits a deepnarrow command into its arguments: words, single and double quotes.
func commandLine(line string) (args []string, ours bool) {
	for _, prefix := range []string{"deepnarrow", "go run ./cmd/deepnarrow"} {
		if rest, found := strings.CutPrefix(line, prefix); found && (rest == "" || rest[0] == ' ') {
			return words(rest), true
		}
	}
	return nil, false
}

func words(line string) []string {
	var out []string
	var word strings.Builder
	quote, started := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, started = r, true
		case quote == 0 && r == ' ':
			if started {
				out = append(out, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if started {
		out = append(out, word.String())
	}
	return out
}
