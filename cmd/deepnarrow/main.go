// Command deepnarrow plans Transformer training runs before anyone spends compute. See `deepnarrow
// help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), host.Signals()...)
	defer stop()
	host.HearLimits()
	context.AfterFunc(ctx, stop) // a second signal ends what does not listen to the first
	startWithoutCollector()
	os.Exit(cli.Run(ctx, os.Args[1:], frame.Standard()))
}

// startWithoutCollector lets the heap grow to 32 MB before the first garbage collection, which a
// command of a few milliseconds never reaches; from then on the collector works as usual.
func startWithoutCollector() {
	usual := debug.SetGCPercent(800) // of the 4 MB at which a first collection would start
	runtime.AddCleanup(new(*int), func(percent int) { debug.SetGCPercent(percent) }, usual)
}
