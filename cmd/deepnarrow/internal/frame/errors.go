package frame

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// UnknownWord refuses a word that is not one of a few.
func UnknownWord(what, word string, allowed []string) error {
	return Usage(DidYouMean(word, allowed, ""), "unknown %s: %q; allowed: %s", what, word,
		strings.Join(allowed, ", "))
}

// Exit codes. They never change meaning with flags.
const (
	ExitOK          = 0
	exitFinding     = 1 // check found a failing rule, diff --exit-code a difference
	ExitUsage       = 2
	ExitInput       = 3 // a file, a record, an unknown shape or hardware name
	ExitNoAnswer    = 4
	ExitInternal    = 70
	ExitInterrupted = 130
)

// failure is an error with its exit code and what to try next.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// Usage marks a wrong command line.
func Usage(hint, format string, args ...any) error {
	return &failure{code: ExitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// BadInput marks a wrong file, record, shape or hardware.
func BadInput(err error, hint string) error {
	if p, ok := err.(*fs.PathError); ok { // the name of the system call says nothing to a user
		err = fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return &failure{code: ExitInput, err: err, hint: hint}
}

// NoAnswer marks a valid question without a valid answer.
func NoAnswer(err error, hint string) error {
	return &failure{code: ExitNoAnswer, err: err, hint: hint}
}

// Finding marks an answer that is not what was demanded.
func Finding(format string, args ...any) error {
	return &failure{code: exitFinding, err: fmt.Errorf(format, args...)}
}

// Instead returns an error of the same code in other words, or with beside only its hint; a finding stays
// as it is.
func Instead(err, say error, hint string, beside bool) error {
	f := &failure{code: ExitUsage, err: err}
	if errors.As(err, &f); f.code != ExitUsage && f.code != ExitInput && f.code != ExitNoAnswer {
		return err
	}
	if beside {
		return &failure{code: f.code, err: f.err, hint: say.Error() + ": " + hint}
	}
	return &failure{code: f.code, err: say, hint: hint}
}

// Is says whether an error is, or holds, one of a type.
func Is[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}

// Coded says whether an error has its exit code.
func Coded(err error) bool {
	return Is[*failure](err)
}

// report prints an error and its hint and returns the exit code.
func (a *App) report(ctx context.Context, err error) int {
	if err == nil {
		return ExitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.Err, "deepnarrow: interrupted")
		return ExitInterrupted
	}
	f := &failure{code: ExitUsage, err: err}
	var path *fs.PathError
	if !errors.As(err, &f) && errors.As(err, &path) {
		// standard output, the only file that is not opened by its name
		f.code, err = ExitInput, fmt.Errorf("%s: cannot be written: %w", path.Path, path.Err)
	}
	for i, line := range errorLines(err) {
		if i == 0 {
			line = "deepnarrow: " + line
		}
		fmt.Fprintln(a.Err, line)
	}
	if f.hint != "" && !a.Common.Quiet {
		fmt.Fprintf(a.Err, "hint: %s\n", f.hint)
	}
	return f.code
}

// errorLines returns the lines of an error: one for each fault of a file and for each error that is
// joined. A line break anywhere else is in a text that a file says, and no line of its own.
func errorLines(err error) []string {
	text := err.Error()
	switch inner := err.(type) {
	case interface{ Lines() []string }:
		return inner.Lines()
	case interface{ Unwrap() []error }:
		var lines, texts []string
		for _, e := range inner.Unwrap() {
			lines, texts = append(lines, errorLines(e)...), append(texts, e.Error())
		}
		if strings.Join(texts, "\n") == text {
			return lines
		}
	case interface{ Unwrap() error }:
		e := inner.Unwrap()
		if e == nil {
			break
		}
		if before, ok := strings.CutSuffix(text, e.Error()); ok {
			lines := errorLines(e)
			lines[0] = before + lines[0]
			return lines
		}
	}
	return []string{text}
}

// noSuchCommand refuses arguments of the bare program.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return Usage(DidYouMean(args[0], names, "deepnarrow help lists the commands"),
		"unknown command: %q; allowed: %s", args[0], strings.Join(names, ", "))
}

// flagError turns a pflag error into a usage error with a suggestion.
func flagError(c *cobra.Command, err error) error {
	hint := c.CommandPath() + " --help lists the flags"
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if ok && unknown.GetSpecifiedName() != "" {
		if near := ourFlag(c, unknown.GetSpecifiedName()); near != "" {
			hint = "did you mean " + near + "?"
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if number, ok := errors.AsType[*strconv.NumError](err); ok {
			return Usage(hint, "--%s: not a number: %q", invalid.GetFlag().Name, number.Num)
		}
		return Usage(hint, "--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	return Usage(hint, "%w", err)
}

// elsewhere are the names that other tools give to our flags, without - and _.
var elsewhere = map[string]string{
	"seqlen": "encoder-length decoder-length", "sequencelength": "encoder-length decoder-length",
	"maxseqlen": "encoder-length decoder-length", "contextlength": "decoder-length encoder-length",
	"blocksize": "decoder-length encoder-length", "ctx": "decoder-length encoder-length",
	"inputlength": "encoder-length", "targetlength": "decoder-length",
	"gpu": "hardware cluster", "gpus": "devices cluster", "gputype": "hardware", "accelerator": "hardware",
	"device": "hardware", "tpu": "hardware", "numgpus": "devices", "ngpus": "devices", "nproc": "devices",
	"worldsize": "devices", "numdevices": "devices", "nnodes": "devices", "nodes": "devices",
	"batchsize": "batch", "globalbatchsize": "batch", "trainbatchsize": "batch", "bs": "batch",
	"microbatchsize": "micro-batch", "perdevicetrainbatchsize": "micro-batch",
	"gradientaccumulationsteps": "accumulate", "gradaccum": "accumulate",
	"tensormodelparallelsize": "tp", "tensorparallel": "tp", "tensorparallelsize": "tp",
	"pipelinemodelparallelsize": "pp", "pipelineparallel": "pp", "dataparallel": "dp",
	"zerostage": "zero", "fsdp": "zero", "dtype": "precision", "bf16": "precision", "fp16": "precision",
	"fp8": "precision", "quantization": "precision", "flashattention": "attention",
	"gradientcheckpointing": "recompute", "activationcheckpointing": "recompute",
	"maxsteps": "steps", "iterations": "steps", "trainsteps": "steps", "trainiters": "steps",
	"numtokens": "tokens", "traintokens": "tokens", "lr": "rate", "learningrate": "rate",
	"warmupsteps": "warmup", "utilization": "mfu", "efficiency": "mfu", "budget": "max-cost max-flops",
	"cost": "max-cost", "time": "deadline max-time", "model": "like", "json": "format", "csv": "format",
	"seqlength": "encoder-length decoder-length", "length": "encoder-length decoder-length",
	"maxlength": "encoder-length decoder-length", "maxmodellen": "prompt decoder-length",
	"inputlen": "prompt encoder-length", "promptlen": "prompt", "promptlength": "prompt",
	"outputlen": "generate decoder-length", "maxnewtokens": "generate", "maxtokens": "generate",
	"outputlength": "generate decoder-length", "requestrate": "requests", "qps": "requests",
	"rps": "requests", "latency": "max-latency", "hours": "deadline max-time",
	"walltime": "deadline", "numtrainepochs": "epochs", "lorarank": "lora", "lorar": "lora",
	"qlora": "lora", "loadin4bit": "weights", "loadin8bit": "weights", "attn": "attention",
	"attnimplementation": "attention", "expertmodelparallelsize": "expert-parallel",
	"ep": "expert-parallel", "cp": "context-parallel", "contextparallelsize": "context-parallel",
	"gpuprice": "price", "power": "watts", "pretrained": "like", "vocabsize": "vocab",
	"nocolor": "color", "out": "output", "silent": "quiet", "debug": "verbose", "spot": "price cluster",
}

// ourFlag returns the flag of a command that another name probably means, with its dashes.
func ourFlag(c *cobra.Command, name string) string {
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
	var ours []string
	for _, other := range strings.Fields(elsewhere[plain]) {
		if c.Flags().Lookup(other) != nil {
			ours = append(ours, "--"+other)
		}
	}
	if len(ours) > 0 {
		return strings.Join(ours, " or ")
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := suggest.Nearest(name, names); near != "" {
		return "--" + near
	}
	for _, whole := range names { // --lenght of --encoder-length
		i := strings.LastIndexByte(whole, '-')
		if i > 0 && suggest.Nearest(name, []string{whole[i+1:]}) != "" {
			ours = append(ours, "--"+whole)
		}
	}
	if len(ours) > mostOurs {
		return ""
	}
	return strings.Join(ours, " or ")
}

// mostOurs flags are proposed at once.
const mostOurs = 3

// Arguments refuses fewer arguments than the least and more than the most, 0 for any number. format
// may name the command as %[1]s and how many were found as %[2]d.
func Arguments(least, most int, hint, format string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if n := len(args); n < least || most > 0 && n > most {
			return Usage(hint, format, c.Name(), n)
		}
		return nil
	}
}

// NoArguments refuses arguments of a command that takes flags alone; takes says which flag reads what
// was probably meant.
func NoArguments(takes string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return Usage(takes, "%s takes flags only: %q", c.Name(), args[0])
	}
}

func DidYouMean(word string, names []string, otherwise string) string {
	if near := suggest.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return otherwise
}
