// Package parallel calls a function for many indices on all processors.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls body(i) once for every i from 0 to n−1, on at most the given number of goroutines (0 =
// one a processor), and returns when all calls have. The calls must write apart; then the result
// does not depend on the number of goroutines. If one panics, no further ones are begun and Each
// panics with its value.
func Each(n, workers int, body func(i int)) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var fault atomic.Pointer[any]
	var running sync.WaitGroup
	for range min(workers, n) {
		running.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					fault.CompareAndSwap(nil, &v)
				}
			}()
			for fault.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				body(i)
			}
		})
	}
	running.Wait()
	if v := fault.Load(); v != nil {
		panic(*v)
	}
}
