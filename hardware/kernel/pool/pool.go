// Package pool runs loops on persistent worker goroutines.
//
// A training step is thousands of short parallel loops. Starting goroutines for each of them costs
// more than some of the loops, and the scheduler may then put two halves on one core. Here the
// workers live as long as the pool: they spin for a moment after a loop, which is where the next
// one usually finds them, and park after that.
package pool

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// spinRounds is how often a worker looks for the next loop before it parks: about 0.1 ms, several
// times the gap between two loops of a training step and far below what a user would notice as a
// busy idle process.
const spinRounds = 2000

// cacheLine separates counters that different cores write.
const cacheLine = 64

// Pool holds the workers. Its loops are started by one goroutine at a time and do not nest.
//
// A loop is open while epoch is odd. A worker counts itself in active before it looks whether the
// loop it saw is still open, and the caller closes the loop before it waits for active to fall to
// zero: a worker that comes late finds the loop closed and leaves, so the caller never waits for a
// worker that the operating system has not yet woken.
type Pool struct {
	workers []*worker
	ended   sync.WaitGroup

	body  func(worker, i int) // of the open loop
	plain func(i int)         // what For was given
	adapt func(worker, i int) // calls plain; made once, so that For allocates nothing
	n     int64

	_      [cacheLine]byte
	epoch  atomic.Uint64
	busy   atomic.Bool
	closed atomic.Bool
	_      [cacheLine]byte
	next   atomic.Int64
	_      [cacheLine]byte
	active atomic.Int64
	_      [cacheLine]byte
}

type worker struct {
	wake   chan struct{}
	parked atomic.Bool
	_      [cacheLine]byte
}

// New returns a pool that runs its loops on the given number of threads: the caller and threads − 1
// workers. It panics if threads is below 1. Close ends the workers.
func New(threads int) *Pool {
	if threads < 1 {
		panic(fmt.Sprintf("pool: %d threads, want at least 1", threads))
	}
	p := &Pool{}
	p.adapt = func(_, i int) { p.plain(i) }
	for id := 1; id < threads; id++ {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		p.ended.Add(1)
		go p.work(id, w)
	}
	return p
}

// Threads returns how many threads share a loop, the caller among them.
func (p *Pool) Threads() int { return len(p.workers) + 1 }

// For calls body(i) once for every i from 0 to n−1 and returns when all calls have. Which thread
// takes which i, and in which order, is not defined: bodies must write apart, and then the result
// does not depend on the number of threads. It allocates nothing, though a body made anew for each
// loop does. It panics if the pool is closed or already in a loop.
func (p *Pool) For(n int, body func(i int)) {
	p.enter()
	p.plain = body
	p.run(n, p.adapt)
	p.plain = nil
	p.busy.Store(false)
}

// ForWorker is For for bodies that need scratch memory of their own: worker, from 0 to Threads−1,
// is never shared by two calls at once.
func (p *Pool) ForWorker(n int, body func(worker, i int)) {
	p.enter()
	p.run(n, body)
	p.busy.Store(false)
}

// Close ends the workers and returns when they have gone. A closed pool must not be used again;
// closing twice is allowed.
func (p *Pool) Close() {
	if p.closed.Swap(true) {
		return
	}
	p.wakeUpTo(len(p.workers))
	p.ended.Wait()
}

func (p *Pool) enter() {
	if p.closed.Load() {
		panic("pool: loop on a closed pool")
	}
	if !p.busy.CompareAndSwap(false, true) {
		panic("pool: loop inside a loop, or two callers at once")
	}
}

func (p *Pool) run(n int, body func(worker, i int)) {
	if n <= 1 || len(p.workers) == 0 {
		for i := range n {
			body(0, i)
		}
		return
	}
	p.body, p.n = body, int64(n)
	p.next.Store(0)
	p.epoch.Add(1)
	p.wakeUpTo(n - 1)
	p.take(0)
	p.epoch.Add(1)
	for round := 0; p.active.Load() != 0; round++ {
		pause(round)
	}
	p.body = nil
}

// take runs bodies until none is left to start.
func (p *Pool) take(id int) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.body(id, int(i))
	}
}

func (p *Pool) wakeUpTo(count int) {
	for _, w := range p.workers[:min(count, len(p.workers))] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
}

func (p *Pool) work(id int, w *worker) {
	defer p.ended.Done()
	var last uint64
	for {
		epoch, ok := p.await(w, last)
		if !ok {
			return
		}
		last = epoch
		p.active.Add(1)
		if p.epoch.Load() == epoch {
			p.take(id)
		}
		p.active.Add(-1)
	}
}

// await returns the epoch of an open loop other than the last, and false when the pool is closed.
func (p *Pool) await(w *worker, last uint64) (uint64, bool) {
	for round := 0; ; round++ {
		if p.closed.Load() {
			return 0, false
		}
		if epoch := p.epoch.Load(); open(epoch, last) {
			return epoch, true
		}
		if round < spinRounds {
			pause(round)
			continue
		}
		w.parked.Store(true)
		// The caller may have opened a loop, or closed the pool, before it could see this worker
		// parked: look once more.
		if p.closed.Load() || open(p.epoch.Load(), last) {
			if w.parked.CompareAndSwap(true, false) {
				continue
			}
		}
		<-w.wake
		round = 0
	}
}

func open(epoch, last uint64) bool { return epoch&1 == 1 && epoch != last }
