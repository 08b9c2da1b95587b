// Package frame is what any command line has: streams, output formats and files, errors with exit
// codes and hints, kinds of flags, help and completion. It knows no model, no plan and no fit.
package frame

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// Streams is everything a command may touch besides the files it is given.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Width    int  // columns of Out: the terminal's or COLUMNS, 0 when neither says
	Colors   bool // Out is a terminal that shows colours
	Progress bool // Err is a terminal
	Env      func(string) string
}

// Standard returns the streams of the process.
func Standard() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	s.Colors = err == nil && os.Getenv("TERM") != "dumb"
	if columns, wrong := strconv.Atoi(os.Getenv("COLUMNS")); wrong == nil && columns > 0 {
		s.Width = columns
	} else if err == nil {
		s.Width = width
	}
	s.Progress = term.IsTerminal(int(os.Stderr.Fd()))
	return s
}

// App is what every command shares.
type App struct {
	Streams
	Output outputFlags
	Common commonFlags
	late   error // of files beside the result
	// completing says that a shell asks for words; only then is anybody asked what completes values,
	// which cobra keeps for good.
	completing bool
	Opens      Opener    // of the files that are read
	Raw        io.Writer // standard output for what is not text for a terminal or a log
	// command is the command line, but for where the result goes and how it looks.
	command string
}

// Opener opens a file to read: [openfile.Named], or one that keeps to a folder.
type Opener func(name string) (*os.File, error)

// courtesy is how long a command that is interrupted may take to say so itself.
const courtesy = 300 * time.Millisecond

// Run executes one command line and returns its exit code. A signal ends it whatever it waits
// for; those commands that endThemselves save first what they have.
func Run(ctx context.Context, args []string, s Streams, commands func(*App) *cobra.Command,
	endThemselves []string,
) int {
	out := plain.NewLog(s.Out)
	a := &App{
		Streams: s, Opens: openfile.Named, Raw: s.Out, command: commandLine(args),
		completing: len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd),
	}
	a.In = heard{ctx, s.In}
	a.Out, a.Err = out, plain.Messages(s.Err)
	root := commands(a)
	root.SetArgs(args)
	done := make(chan int, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				fmt.Fprintf(a.Err, "deepnarrow: internal error: %v", fault)
				fmt.Fprintf(s.Err, "%s\nhint: this is a bug; please report it with the command line\n", debug.Stack())
				done <- ExitInternal
			}
		}()
		err := root.ExecuteContext(ctx)
		done <- a.report(ctx, errors.Join(err, out.Flush()))
	}()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	var late <-chan time.Time
	if c, _, err := root.Find(args); err != nil || !slices.Contains(endThemselves, c.Name()) {
		late = time.After(courtesy)
	}
	select {
	case code := <-done:
		return code
	case <-late:
		fmt.Fprintln(a.Err, "deepnarrow: interrupted")
		return ExitInterrupted
	}
}

// Frame gives the whole tree of commands what every command has: the common flags, errors of this
// program, streams, help and completion; complete adds what shells complete for single flags.
func (a *App) Frame(root *cobra.Command, complete func()) {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.Args = noSuchCommand
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return a.begin(c) }
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.SetFlagErrorFunc(flagError)
	a.Common.register(root)
	onceEach(root)
	root.SetIn(a.In)
	root.SetOut(a.Out) // before the completion command, which takes it as it is
	root.SetErr(a.Err)
	a.help(root)
	if a.completing {
		complete()
	}
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = noSuchCommand
		completion.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}

// Open opens a file to read, or standard input for -.
func (a *App) Open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.In), nil
	}
	return a.Opens(name)
}

// heard is an input that ends when the command is interrupted, whatever it waits for.
type heard struct {
	ctx  context.Context
	from io.Reader
}

func (h heard) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := h.from.Read(p)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-h.ctx.Done():
		return 0, h.ctx.Err()
	}
}

// ReadLimited reads a file, or standard input for -, of at most limit bytes.
func (a *App) ReadLimited(name string, most int64) ([]byte, error) {
	file, err := a.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: is too large; allowed: at most %d bytes", name, most)
	}
	return text, err
}
