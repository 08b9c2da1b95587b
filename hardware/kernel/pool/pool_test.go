package pool

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func TestForCallsEveryIndexOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 7} {
		p := New(threads)
		for _, n := range []int{0, 1, 2, 3, 100, 1001} {
			counts := make([]atomic.Int32, n)
			p.For(n, func(i int) { counts[i].Add(1) })
			for i := range counts {
				if got := counts[i].Load(); got != 1 {
					t.Fatalf("%d threads, n %d: index %d ran %d times", threads, n, i, got)
				}
			}
		}
		p.Close()
	}
}

func TestForWorkerNeverSharesAWorker(t *testing.T) {
	const threads, n, rounds = 3, 64, 200
	p := New(threads)
	defer p.Close()
	inside := make([]atomic.Int32, p.Threads())
	for range rounds {
		p.ForWorker(n, func(worker, _ int) {
			if inside[worker].Add(1) != 1 {
				t.Error("two bodies at once on one worker")
			}
			inside[worker].Add(-1)
		})
	}
}

// Plain writes of one loop must be seen by the next, whichever thread reads them: the race detector
// checks it too.
func TestLoopsFollowEachOther(t *testing.T) {
	const n, rounds = 50, 2000
	p := New(2)
	defer p.Close()
	values := make([]int, n)
	step := func(i int) { values[i]++ }
	reversed := func(i int) { values[n-1-i]++ }
	for range rounds {
		p.For(n, step)
		p.For(n, reversed)
	}
	for i, got := range values {
		if got != 2*rounds {
			t.Fatalf("value %d is %d after %d increments", i, got, 2*rounds)
		}
	}
}

func TestWorkersComeBackFromParking(t *testing.T) {
	p := New(2)
	defer p.Close()
	for !p.workers[0].parked.Load() {
		time.Sleep(time.Millisecond)
	}
	var sum atomic.Int64
	p.For(100, func(i int) { sum.Add(int64(i)) })
	if got := sum.Load(); got != 4950 { // 0 + 1 + … + 99
		t.Errorf("sum %d, want 4950", got)
	}
}

func TestForAllocatesNothing(t *testing.T) {
	p := New(2)
	defer p.Close()
	body := func(int) {}
	if got := testing.AllocsPerRun(100, func() { p.For(8, body) }); got != 0 {
		t.Errorf("%v allocations per loop, want 0", got)
	}
}

func TestMisuseOfAPoolPanics(t *testing.T) {
	expectPanic := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", what)
			}
		}()
		f()
	}
	expectPanic("no threads", func() { New(0) })
	p := New(1)
	expectPanic("nested loop", func() { p.For(1, func(int) { p.For(1, func(int) {}) }) })
	p.Close()
	p.Close()
	expectPanic("loop after Close", func() { p.For(1, func(int) {}) })
}

func BenchmarkFor(b *testing.B) {
	for _, n := range []int{2, 16} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := New(2)
			defer p.Close()
			body := func(int) {}
			for b.Loop() {
				p.For(n, body)
			}
		})
	}
}
