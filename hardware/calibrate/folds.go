package calibrate

import (
	"runtime"
	"sync"
)

// sideBySide calls body for 0 … n−1 on all processors; the calls must not touch each other's results.
func sideBySide(n int, body func(int)) {
	var running sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			body(i)
		})
	}
	running.Wait()
}
