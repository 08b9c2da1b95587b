// Package parallel calls a function for many indices on all processors.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls body(i) once for every i from 0 to n−1, on at most the given number of goroutines (0 =
// one a processor), and returns when all calls have. The calls must write apart; then the result
// does not depend on the number of goroutines. If one panics, no further ones are begun and Each
// panics with its value.
func Each(n, workers int, body func(i int)) {
	_ = With(context.Background(), n, workers, func() func(int) { return body })
}

// With is [Each] for bodies that reuse memory: setup makes the body of one goroutine. Once the
// context has ended no further calls are begun; the error is the context's.
func With(ctx context.Context, n, workers int, setup func() func(i int)) error {
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
			body := setup()
			for fault.Load() == nil && ctx.Err() == nil {
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
	return ctx.Err()
}
