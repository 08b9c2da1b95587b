package frame

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// commonFlags are the flags of every command.
type commonFlags struct {
	Quiet, Verbose bool
	Color          colorFlag
}

func (f *commonFlags) register(root *cobra.Command) {
	f.Color = "auto"
	flags := root.PersistentFlags()
	flags.BoolVarP(&f.Quiet, "quiet", "q", false, "print the result only, no warnings and hints")
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, "also say on stderr which files are read and how long it took")
	flags.Var(&f.Color, "color", "colours on a terminal: auto, always or never; NO_COLOR turns auto off")
	// A template of cobra's would keep every exported method in the binary: 4 MB.
	root.Version = Version()
	root.Flags().Bool("version", false, "print the version") // cobra would give it -v
}

// colorFlag says whether text is coloured.
type colorFlag string

func ColorChoices() []string { return []string{"auto", "always", "never"} }

func (f *colorFlag) String() string { return string(*f) }

func (*colorFlag) Type() string { return "when" }

func (f *colorFlag) Set(text string) error {
	if !slices.Contains(ColorChoices(), text) {
		return UnknownWord("value", text, ColorChoices())
	}
	*f = colorFlag(text)
	return nil
}

func (f colorFlag) on(s *Streams) bool {
	return f == "always" || f == "auto" && s.Colors && s.Env("NO_COLOR") == ""
}

// begin is what every command does first: it tries the files that it will write, and with --verbose
// tells those that it reads.
func (a *App) begin(c *cobra.Command) error {
	if a.Common.Verbose && !a.Common.Quiet {
		opens := a.Opens
		a.Opens = func(name string) (*os.File, error) {
			fmt.Fprintln(a.Err, "reading "+name)
			return opens(name)
		}
		start := time.Now()
		c.PostRun = func(*cobra.Command, []string) {
			fmt.Fprintf(a.Err, "deepnarrow %s took %s\n", Version(), time.Since(start).Round(time.Millisecond))
		}
	}
	return a.tryFiles(c)
}

// mostAlike is how many warnings that say the same of other files are told; -v tells all.
const mostAlike = 3

var digits = regexp.MustCompile(`\d+`)

// Warn tells warnings on stderr. Of those that are alike but for what stands before ": ", a file or a
// shape, and for numbers, it tells a few and how many more there are.
func (a *App) Warn(warnings []string) {
	alike := func(w string) string {
		if _, after, ok := strings.Cut(w, ": "); ok {
			w = after
		}
		return digits.ReplaceAllString(w, "0")
	}
	left := map[string]int{}
	for _, w := range warnings {
		left[alike(w)]++
	}
	told := map[string]int{}
	for _, w := range warnings {
		kind := alike(w)
		left[kind]--
		if told[kind]++; a.Common.Verbose || told[kind] <= mostAlike {
			a.Tell("warning: " + w)
		} else if left[kind] == 0 {
			a.Tell(fmt.Sprintf("warning: and %d more such: %s (-v tells all)", told[kind]-mostAlike, w))
		}
	}
}

// Tell says something about the result on stderr, unless only the result is wanted.
func (a *App) Tell(line string) {
	if !a.Common.Quiet {
		fmt.Fprintln(a.Err, line)
	}
}

// commandLine writes the arguments as a shell reads them, without the flags that say where the
// result goes and how it looks: the same result has the same command line.
func commandLine(args []string) string {
	words := []string{"deepnarrow"}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch {
		case slices.Contains([]string{"--wide", "--details", "-q", "--quiet", "-v", "--verbose"}, name):
		case slices.Contains([]string{"-o", "-f", "--output", "--format", "--color"}, name):
			if !joined {
				i++ // its value
			}
		case strings.HasPrefix(args[i], "-o") && !strings.HasPrefix(args[i], "--"):
		default:
			words = append(words, plain.Quoted(args[i]))
		}
	}
	return strings.Join(words, " ")
}
