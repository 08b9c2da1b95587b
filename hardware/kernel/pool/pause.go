package pool

import (
	"runtime"
	"sync/atomic"
)

// looksPerPause keeps a spinning thread off the scheduler for about 0.1 µs at a time.
const looksPerPause = 64

// pause passes a moment of a spin. It yields each time, so that more threads than cores still make
// progress.
func pause(round int) {
	var spin atomic.Int64
	for range looksPerPause {
		spin.Load()
	}
	if round > 0 {
		runtime.Gosched()
	}
}
