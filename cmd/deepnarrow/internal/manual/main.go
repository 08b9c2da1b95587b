// Command manual writes what is generated from the command line's own definitions: a markdown page
// per command, man pages, and completions.
//
//	go run ./cmd/deepnarrow/internal/manual -markdown docs/commands
//	go run ./cmd/deepnarrow/internal/manual -man dist/man -completions dist/completions
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
)

func main() {
	markdown := flag.String("markdown", "", "write a page per command to this `folder`")
	man := flag.String("man", "", "write man pages to this `folder`")
	completions := flag.String("completions", "", "write completions to this `folder`")
	flag.Parse()
	root := cli.Command()
	for _, job := range []struct {
		folder string
		write  func(*cobra.Command, string) error
	}{{*markdown, writePages}, {*man, writeMan}, {*completions, writeCompletions}} {
		if job.folder == "" {
			continue
		}
		err := os.MkdirAll(job.folder, 0o755)
		if err == nil {
			err = job.write(root, job.folder)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "manual:", err)
			os.Exit(1)
		}
	}
}

func writePages(root *cobra.Command, folder string) error {
	for name, text := range pages(root) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeMan dates every page to the start of Unix time: equal sources give equal bytes.
func writeMan(root *cobra.Command, folder string) error {
	root.DisableAutoGenTag = true
	epoch := time.Unix(0, 0).UTC()
	return doc.GenManTree(root, &doc.GenManHeader{
		Title: "DEEPNARROW", Section: "1",
		Source: "deepnarrow", Manual: "deepnarrow", Date: &epoch,
	}, folder)
}

func writeCompletions(root *cobra.Command, folder string) error {
	for _, shell := range []struct {
		file  string
		write func(string) error
	}{
		{"deepnarrow.bash", func(name string) error { return root.GenBashCompletionFileV2(name, true) }},
		{"_deepnarrow", root.GenZshCompletionFile},
		{"deepnarrow.fish", func(name string) error { return root.GenFishCompletionFile(name, true) }},
		{"deepnarrow.ps1", root.GenPowerShellCompletionFileWithDesc},
	} {
		if err := shell.write(filepath.Join(folder, shell.file)); err != nil {
			return err
		}
	}
	return nil
}
