package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// pages returns the markdown of every command by file name, and an index.
func pages(root *cobra.Command) map[string]string {
	out := map[string]string{}
	var index strings.Builder
	index.WriteString(
		"# Commands\n\nGenerated from the command line's own definitions: `go run ./cmd/deepnarrow/internal/manual -markdown docs/commands`.\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(&index, "\n%s\n\n", strings.TrimSuffix(group.Title, ":"))
		for _, c := range root.Commands() {
			if c.GroupID == group.ID && c.IsAvailableCommand() {
				out[c.Name()+".md"] = page(c)
				fmt.Fprintf(&index, "- [%s](%s.md): %s\n", c.Name(), c.Name(), c.Short)
			}
		}
	}
	index.WriteString("\nOthers\n\n")
	for _, c := range root.Commands() {
		if c.GroupID == "" && c.IsAvailableCommand() && c.Name() != "help" {
			out[c.Name()+".md"] = page(c)
			fmt.Fprintf(&index, "- [%s](%s.md): %s\n", c.Name(), c.Name(), c.Short)
		}
	}
	out["README.md"] = index.String()
	return out
}

// page is the markdown of one command.
func page(c *cobra.Command) string {
	c.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, "# deepnarrow %s\n\n%s.\n\n```text\n%s\n```\n", c.Name(),
		strings.TrimSuffix(c.Short, "."), c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", prose(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", outdent(c.Example))
	}
	for _, topic := range frame.ByTopic(c) {
		fmt.Fprintf(&b, "\n## %s\n\n| flag | value | default | meaning |\n|---|---|---|---|\n%s",
			topic.Title, flagRows(topic.Flags))
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n## Sub-commands\n\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "- `deepnarrow %s %s`: %s\n", c.Name(), sub.Name(), sub.Short)
			}
		}
	}
	b.WriteString(
		"\nAll commands: [index](README.md). Exit codes: [README](../../README.md#for-programs).\n")
	return b.String()
}

func flagRows(flags []*pflag.Flag) string {
	var b strings.Builder
	for _, f := range flags {
		_, usage := pflag.UnquoteUsage(f)
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		value := f.DefValue
		if value == "[]" || value == "false" || value == "0" &&
			strings.Contains(usage, "(default") {
			value = ""
		}
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, cell(frame.ValueName(f)), cell(value), cell(usage))
	}
	return b.String()
}

// cell protects what would end a cell of a table or read as markup.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}

// prose keeps paragraphs and shows indented lines as a block.
func prose(text string) string {
	var b strings.Builder
	block := false
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		switch {
		case indented && !block:
			b.WriteString("\n```text\n")
			block = true
		case !indented && block && line != "":
			b.WriteString("```\n\n")
			block = false
		}
		if !block {
			line = strings.ReplaceAll(line, "<", "&lt;")
		}
		b.WriteString(line + "\n")
	}
	if block {
		b.WriteString("```\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// outdent removes the two columns that the help text indents examples by.
func outdent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
