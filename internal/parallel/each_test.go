package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestEachCallsEveryIndexOnce(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 50} {
		for _, n := range []int{0, 1, 7, 1000} {
			calls := make([]atomic.Int32, n)
			Each(n, workers, func(i int) { calls[i].Add(1) })
			for i := range calls {
				if got := calls[i].Load(); got != 1 {
					t.Fatalf("%d workers, %d indices: %d was called %d times", workers, n, i, got)
				}
			}
		}
	}
}

func TestEachPassesAPanicOn(t *testing.T) {
	defer func() {
		if v := recover(); v != "broken" {
			t.Errorf("recovered %v", v)
		}
	}()
	Each(100, 2, func(i int) {
		if i == 13 {
			panic("broken")
		}
	})
	t.Error("Each returned")
}

func TestWithEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	const last = 10
	var calls, setups atomic.Int32
	err := With(ctx, 1000, 1, func() func(int) {
		setups.Add(1)
		return func(i int) {
			calls.Add(1)
			if i == last {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) || calls.Load() != last+1 || setups.Load() != 1 {
		t.Errorf("%v after %d calls and %d setups", err, calls.Load(), setups.Load())
	}
}
