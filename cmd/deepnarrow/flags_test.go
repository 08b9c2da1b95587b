package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
)

// TestDocumentedFlags: every --flag that a page names is a flag of deepnarrow, and of the command where the same
// code span names one. Lines of other programs (go, git, docker, …) and flags of other tools that a page
// translates are left out.
func TestDocumentedFlags(t *testing.T) {
	others := map[string]string{
		"compile": "the PyTorch twin", "parallel": "the PyTorch twin",
		"seq-len": "what other tools call ours", "num-gpus": "what other tools call ours",
		"max-": "any of --max-…",
	}
	all, commands := map[string]bool{"help": true, "version": true}, map[string]map[string]bool{}
	for _, c := range cli.Command().Commands() {
		own := map[string]bool{"help": true}
		c.Flags().VisitAll(func(f *pflag.Flag) { own[f.Name] = true })
		c.InheritedFlags().VisitAll(func(f *pflag.Flag) { own[f.Name] = true })
		for name := range own {
			all[name] = true
		}
		commands[c.Name()] = own
	}
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/commands/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	span := regexp.MustCompile("`[^`\n]+`|(?m)^\\$? ?deepnarrow .*$")
	flag := regexp.MustCompile(`(?:^|[\s` + "`" + `"'(\[])--([a-z][a-z0-9-]*)`)
	ours := regexp.MustCompile(`^deepnarrow ([a-z]+)`)
	named := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(page) == "CHANGELOG.md" { // tells of flags that were
			continue
		}
		for _, code := range span.FindAllString(string(text), -1) {
			code = strings.TrimPrefix(strings.Trim(code, "`"), "$ ")
			allowed := all
			if m := ours.FindStringSubmatch(code); m != nil && commands[m[1]] != nil {
				allowed = commands[m[1]]
			}
			for _, m := range flag.FindAllStringSubmatch(code, -1) {
				if named++; !allowed[m[1]] && others[m[1]] == "" && !foreign(code) {
					t.Errorf("%s: %s: no flag --%s", filepath.Base(page), code, m[1])
				}
			}
		}
	}
	const least = 300 // the pages name more than that
	if named < least {
		t.Errorf("%d flags found in the pages, want at least %d: the pattern reads nothing", named, least)
	}
}

// foreign tells commands of other programs.
func foreign(code string) bool {
	first, _, _ := strings.Cut(code, " ")
	switch first {
	case "go", "git", "docker", "npm", "podman", "gh":
		return true
	}
	return false
}
