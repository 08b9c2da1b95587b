package frame

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/reports"
)

// topics group the flags in help, in this order; a flag that none names stands first, as the
// command's own.
var topics = []struct{ title, flags string }{
	{"Limits", "max-params max-non-embedding-params max-step-flops max-flops max-step-time max-total-time max-device-hours max-cost max-memory max-energy max-co2 max-decode-latency deadline sure min-params min-d-model max-d-model depth"},
	{"Run", "tokens tokens-per-param steps days batch encoder-length decoder-length dropout optimizer precision attention recompute goodput fit what-if"},
	{"Hardware and layout", "hardware cluster devices max-devices layout dp tp pp interleave zero micro-batch accumulate context-parallel expert-parallel sequence-parallel compiled stack mfu"},
	{"Price and carbon", "price prices watts pue region grid"},
	{"Generating", "decode prompt generate beams"},
	{"Rows to read", "map where join run-key group last drop-highest by records records-group score-where fit-where evidence"},
	{"Describing shapes", "architectures vocab"},
	{"Output", "output format wide details explain plot out to emit exit-code quiet verbose color help"},
}

// helpWidth is how wide help is where nothing says how wide the screen is.
const helpWidth = 100

// help gives a command and those below it help that fits the screen, with the flags by topic.
func (a *App) help(root *cobra.Command) {
	width := helpWidth
	if a.Width > 0 {
		width = min(a.Width, helpWidth)
	}
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writeHelp(c.OutOrStdout(), c, width) })
}

func writeHelp(w io.Writer, c *cobra.Command, width int) {
	var b strings.Builder
	for _, paragraph := range paragraphs(strings.TrimSpace(cmp.Or(c.Long, c.Short))) {
		b.WriteString(reports.Wrap(paragraph, width) + "\n")
	}
	fmt.Fprintf(&b, "\nUsage:\n  %s\n", c.UseLine())
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n", c.CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	for _, group := range append(slices.Clone(c.Groups()), &cobra.Group{Title: "More:"}) {
		rows := [][2]string{}
		for _, sub := range c.Commands() {
			if sub.GroupID == group.ID && (sub.IsAvailableCommand() || sub.Name() == "help") {
				rows = append(rows, [2]string{sub.Name(), sub.Short})
			}
		}
		writeRows(&b, group.Title, rows, width)
	}
	for _, g := range ByTopic(c) {
		rows := make([][2]string, len(g.Flags))
		for i, f := range g.Flags {
			rows[i] = [2]string{flagText(f), meaning(f)}
		}
		writeRows(&b, g.Title+":", rows, width)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help says more of a command.\n", c.CommandPath())
	}
	_, _ = io.WriteString(w, b.String()) // as cobra's own help
}

// paragraphs joins the lines of prose; indented and empty lines stay as they are.
func paragraphs(text string) []string {
	var out []string
	open := false
	for line := range strings.SplitSeq(text, "\n") {
		prose := line != "" && line[0] != ' ' && line[0] != '\t'
		if prose && open {
			out[len(out)-1] += " " + line
		} else {
			out = append(out, line)
		}
		open = prose
	}
	return out
}

// writeRows writes names with what they mean beside them, under themselves where a line is full.
func writeRows(b *strings.Builder, title string, rows [][2]string, width int) {
	if len(rows) == 0 {
		return
	}
	const indent, most = 2, 30 // columns; a longer name has its meaning below
	column := 0
	for _, row := range rows {
		if n := len([]rune(row[0])); n <= most {
			column = max(column, n)
		}
	}
	column += indent + 2
	fmt.Fprintf(b, "\n%s\n", title)
	for _, row := range rows {
		text := strings.Repeat(" ", indent) + row[0]
		if n := len([]rune(text)); n+2 <= column {
			text += strings.Repeat(" ", column-n)
		} else {
			text += "\n" + strings.Repeat(" ", column)
		}
		lines := strings.Split(reports.Wrap(row[1], max(20, width-column)), "\n")
		b.WriteString(text + strings.Join(lines, "\n"+strings.Repeat(" ", column)) + "\n")
	}
}

// Topic is a group of flags.
type Topic struct {
	Title string
	Flags []*pflag.Flag
}

// ByTopic returns the flags of a command in groups, the command's own first.
func ByTopic(c *cobra.Command) []Topic {
	c.InitDefaultHelpFlag()
	var all []*pflag.Flag
	for _, set := range []*pflag.FlagSet{c.LocalFlags(), c.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !slices.Contains(all, f) {
				all = append(all, f)
			}
		})
	}
	out := []Topic{{Title: "Flags"}}
	for _, t := range topics {
		topic := Topic{Title: t.title}
		for _, name := range strings.Fields(t.flags) {
			if i := slices.IndexFunc(all, func(f *pflag.Flag) bool { return f.Name == name }); i >= 0 {
				topic.Flags, all = append(topic.Flags, all[i]), slices.Delete(all, i, i+1)
			}
		}
		out = append(out, topic)
	}
	out[0].Flags = all
	return slices.DeleteFunc(out, func(t Topic) bool { return len(t.Flags) == 0 })
}

// flagText is a flag with what follows it: "-o, --output file", "--wide".
func flagText(f *pflag.Flag) string {
	text := "--" + f.Name
	if f.Shorthand != "" {
		text = "-" + f.Shorthand + ", " + text
	}
	if kind := ValueName(f); kind != "" {
		text += " " + kind
	}
	return text
}

// ValueName names the value of a flag in a word, empty for one that takes none.
func ValueName(f *pflag.Flag) string {
	kind, _ := pflag.UnquoteUsage(f)
	switch {
	case f.Value.Type() == "bool":
		return ""
	case kind == "int", kind == "count", kind == "float":
		return "n"
	case strings.HasPrefix(kind, "*"), kind == "string", kind == "strings", kind == "stringArray": // Go types
		return "word"
	}
	return kind
}

// meaning is what a flag does, with its default where the text has none.
func meaning(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	none := []string{"", "[]", "0", "false", "NaN"}
	if !strings.Contains(text, "default") && !slices.Contains(none, f.DefValue) {
		text += " (default " + f.DefValue + ")"
	}
	return text
}

func Words(list string) func() []string { return func() []string { return strings.Fields(list) } }

// CompleteValues lets shells complete the values of flags: those that the help of a flag lists, else
// those of values, and for the flags ofColumns what columns returns.
func CompleteValues(root *cobra.Command, values map[string]func() []string, ofColumns []string,
	columns cobra.CompletionFunc,
) {
	for _, c := range root.Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			complete := func(list func() []string) {
				_ = c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
					return list(), cobra.ShellCompDirectiveNoFileComp
				}) // an error says that the command has its own
			}
			list, known := values[f.Name]
			switch _, words := pflag.UnquoteUsage(f); {
			case oneOf(words) != nil:
				complete(func() []string { return oneOf(words) })
			case known:
				complete(list)
			}
		})
		for _, name := range ofColumns {
			if c.Flags().Lookup(name) != nil && c.Flags().Lookup("map") != nil {
				_ = c.RegisterFlagCompletionFunc(name, columns)
			}
		}
	}
}

var brackets = regexp.MustCompile(` \([^)]*\)`)

// oneOf reads the choices out of a flag's help: "adam, adafactor or muon (default adam)" and "…: a, b
// or c"; nil where it lists none.
func oneOf(help string) []string {
	help = brackets.ReplaceAllString(help, "")
	if _, after, found := strings.Cut(help, ": "); found {
		help = after
	}
	before, last, found := strings.Cut(help, " or ")
	list := append(strings.Split(before, ", "), last)
	for _, word := range list {
		if !found || word == "" || strings.ContainsAny(word, " ;") {
			return nil
		}
	}
	return list
}
