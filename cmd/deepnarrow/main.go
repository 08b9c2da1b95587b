// Command deepnarrow plans Transformer training runs before anyone spends compute. See `deepnarrow
// help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not listen to the first
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Standard()))
}
