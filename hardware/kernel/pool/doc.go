// Package pool runs loops on persistent worker goroutines.
//
// A training step is thousands of short parallel loops. Starting goroutines for each of them costs
// more than some of the loops, and the scheduler may then put two halves on one core. Here the
// workers live as long as the pool: they spin for a moment after a loop, which is where the next
// one usually finds them, and park after that.
package pool
